import { AgentError } from '../core/errors.ts'

/** What a `synthetic:` URL asks for. */
export interface SyntheticOptions {
  readonly width: number
  readonly height: number
  readonly fps: number
  /** How many frames there are; without it they never end. */
  readonly frames: number | undefined
  /** Paced by the clock like a camera, the newest frame winning. */
  readonly live: boolean
  readonly faults: SyntheticFaults
}

/** At which frame something goes wrong, on purpose. */
export interface SyntheticFaults {
  /** The process dies by SIGSEGV. */
  readonly crash?: number
  /** Nothing comes any more, until the source is closed. */
  readonly hang?: number
  /** The thread blocks for good. */
  readonly freeze?: number
  /** The source breaks off with SOURCE_UNREACHABLE. */
  readonly error?: number
}

interface Range {
  readonly least: number
  readonly most: number
  readonly whole: boolean
}

const size: Range = { least: 16, most: 8192, whole: true }
const index: Range = { least: 0, most: 2 ** 31, whole: true }
const ranges: Readonly<Record<string, Range>> = {
  width: size,
  height: size,
  fps: { least: 0.01, most: 1000, whole: false },
  frames: { least: 1, most: 2 ** 31, whole: true },
  live: { least: 0, most: 1, whole: true },
  at: index,
  hang: index,
  freeze: index,
  error: index,
}
const faultNames = ['crash', 'at', 'hang', 'freeze', 'error']

/**
 * Reads `synthetic:?width=640&height=360&fps=25&frames=100&live=1`, and for tests, where `faults` are
 * allowed, one of `crash=segv&at=N`, `hang=N`, `freeze=N` and `error=N`.
 * @throws AgentError SOURCE_UNSUPPORTED, SOURCE_FORBIDDEN
 */
export function syntheticOptions(url: string, faults: boolean): SyntheticOptions {
  const given = new Map(new URL(url).searchParams)
  checkNames(url, given, faults)
  const number = (name: string) => numberOf(url, name, given.get(name))
  const crash = given.get('crash')
  if (crash !== undefined && crash !== 'segv') throw unsupported(url, `crash=${crash}`, 'segv')
  return {
    width: number('width') ?? 640,
    height: number('height') ?? 360,
    fps: number('fps') ?? 25,
    frames: number('frames'),
    live: number('live') === 1,
    faults: {
      ...(crash === undefined ? {} : { crash: number('at') ?? 0 }),
      ...entry('hang', number('hang')),
      ...entry('freeze', number('freeze')),
      ...entry('error', number('error')),
    },
  }
}

function checkNames(url: string, given: ReadonlyMap<string, string>, faults: boolean): void {
  const known = ['width', 'height', 'fps', 'frames', 'live']
  for (const name of given.keys()) {
    if (known.includes(name)) continue
    if (!faultNames.includes(name)) throw unsupported(url, name, known.join(' '))
    if (faults) continue
    throw new AgentError(
      'SOURCE_FORBIDDEN',
      `'${url}' asks for a fault ('${name}'), which only tests may inject`,
    )
  }
}

function numberOf(url: string, name: string, text: string | undefined): number | undefined {
  const range = ranges[name]
  if (text === undefined || !range) return undefined
  const number = text.trim() === '' ? Number.NaN : Number(text)
  const fits = number >= range.least && number <= range.most
  if (fits && (!range.whole || Number.isInteger(number))) return number
  throw unsupported(url, `${name}=${text}`, `${range.least} to ${range.most}`)
}

function entry(name: keyof SyntheticFaults, value: number | undefined): SyntheticFaults {
  return value === undefined ? {} : { [name]: value }
}

function unsupported(url: string, found: string, allowed: string): AgentError {
  return new AgentError(
    'SOURCE_UNSUPPORTED',
    `'${url}': '${found}' is not known (allowed: ${allowed})`,
  )
}
