import { ConfigSchema, type SettingSchema, settings } from '../../schemas/config.ts'
import type { Given, Problem } from './given.ts'
import { didYouMean } from './suggest.ts'

/** One value as text, from a flag. */
export interface FlagValue {
  /** `broker.port`, `services.gate.input`. */
  readonly name: string
  readonly text: string
  /** The flag, for messages: `--mqtt-port`. */
  readonly flag: string
}

/** What flags say. `folder`: what relative paths count from. */
export function flagsGiven(flags: readonly FlagValue[], folder: string): Given[] {
  return flags.map(({ name, text, flag }) => {
    const path = name.split('.')
    return { path: [], value: nested(path, text), origin: { folder, where: () => flag } }
  })
}

/** Reads `section.key=value`. */
export function parseSet(text: string): FlagValue | Problem {
  const [, name, value] = /^([^=\s]+)=(.*)$/s.exec(text) ?? []
  if (name === undefined || value === undefined) {
    return `--set '${text}': must be section.key=value, such as broker.port=1884`
  }
  return { name, text: value, flag: `--set ${name}` }
}

/** What the client reads; nothing that an agent is configured by. */
const CLIENT = ['HELIOGRAPH_URL', 'HELIOGRAPH_TOKEN']

const KUBERNETES = /^HELIOGRAPH_PORT$|_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_/

/**
 * What the environment says: `HELIOGRAPH_<SECTION>_<KEY>` sets `section.key`. Variables that Kubernetes
 * makes for a service of that name are passed over; any other `HELIOGRAPH_…` is a mistake.
 */
export function environmentGiven(
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
): { given: Given[]; problems: Problem[] } {
  const given: Given[] = []
  const problems: Problem[] = []
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('HELIOGRAPH_') || text === undefined) continue
    if (CLIENT.includes(variable)) continue
    const setting = settings.find((candidate) => candidate.variable === variable)
    if (setting) {
      const value = nested(setting.path, text)
      given.push({ path: [], value, origin: { folder, where: () => variable } })
    } else if (variable !== 'HELIOGRAPH_CONFIG' && !KUBERNETES.test(variable)) {
      const names = [...settings.map((candidate) => candidate.variable), 'HELIOGRAPH_CONFIG']
      problems.push(`${variable}: no setting is called so${didYouMean(variable, names)}`)
    }
  }
  return { given, problems }
}

function nested(path: readonly string[], text: string): unknown {
  return path.reduceRight<unknown>((value, key) => ({ [key]: value }), readText(path, text))
}

/** Text as the type that the setting has: a number, a list (commas, or JSON), JSON, or itself. */
function readText(path: readonly string[], text: string): unknown {
  const type = typeAt(path)
  if (type === 'array') return text.startsWith('[') ? readJson(text) : list(text)
  if (type === 'integer' || type === 'number') {
    return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text
  }
  return type === undefined ? readJson(text) : text
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function readJson(text: string): unknown {
  if (!/^\s*([{["]|-?\d|true$|false$|null$)/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The JSON type of the setting at `path`; undefined below `services` and where nothing is. */
function typeAt(path: readonly string[]): string | undefined {
  const found = path.reduce<SettingSchema | undefined>(
    (schema, key) => schema?.properties?.[key],
    ConfigSchema,
  )
  if (!found) return undefined
  return found.type ?? ('enum' in found ? 'string' : undefined)
}
