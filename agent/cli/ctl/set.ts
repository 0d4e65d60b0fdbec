import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { AgentClient, PartChange, Whom } from '../../client/agent-client.ts'
import { AgentError } from '../../core/errors.ts'
import type { ClientFlags } from './flags.ts'
import { whomOf, withClient } from './session.ts'
import { isBare, readModelOptions, readSpecs, type Specs, specIn } from './specs.ts'
import { inputsText, modelText, outputsText } from './tables.ts'

/** How a part is to be changed. */
export interface SetFlags extends ClientFlags {
  readonly file?: string
  readonly replace?: boolean
  readonly remove?: readonly string[]
  readonly ifMatch?: string
}

/** How a model is to be changed. */
export interface ModelFlags extends ClientFlags {
  readonly file?: string
  readonly option?: readonly string[]
  readonly device?: string
  readonly ifMatch?: string
}

/** Sets inputs or outputs and prints how they are then. @returns the exit code */
export async function setParts(
  part: 'input' | 'output',
  args: readonly string[],
  flags: SetFlags,
): Promise<number> {
  const file = args[0] === '-' && args.length === 1 ? '-' : flags.file
  const given = file === undefined ? undefined : await fileValue(file)
  const removed = (flags.remove ?? []).map((id) => `${id}=`)
  const specs = readSpecs(part, file === '-' ? removed : [...args, ...removed])
  if (given === undefined && Object.keys(specs).length === 0) {
    throw new AgentError('CONFIG_INVALID', `nothing to set: name ${wanted[part]}`)
  }
  if (given !== undefined && Object.keys(specs).length > 0) {
    throw new AgentError('CONFIG_INVALID', 'either a file or arguments, not both')
  }
  const alone = part === 'input' && args.some(isBare)
  return withClient(flags, async ({ client, print }) => {
    const order = given === undefined ? await orderOf(client, part, specs, alone, flags) : { given }
    const change = { ...order.change, ...changeOf(flags) }
    const { value } = await client.set(part, order.given, change)
    print(value, part === 'input' ? inputsText : outputsText)
  })
}

const wanted = {
  input: 'a URL, id=url, a file (-f), or - for standard input',
  output: 'id=url, --remove id, a file (-f), or - for standard input',
}

/** Chooses a model or its options, and prints how it is then. @returns the exit code */
export async function setModel(id: string | undefined, flags: ModelFlags): Promise<number> {
  const file = id === '-' ? '-' : flags.file
  const options = readModelOptions(flags.option ?? [])
  const change = {
    ...(id === undefined ? {} : { model: id }),
    ...(flags.device === undefined ? {} : { device: flags.device }),
    ...(Object.keys(options).length === 0 ? {} : { options }),
  }
  const value = file === undefined ? change : await fileValue(file)
  if (file === undefined && Object.keys(change).length === 0) {
    throw new AgentError('CONFIG_INVALID', 'nothing to set: name a model, --device or --option')
  }
  return withClient(flags, async ({ client, print }) => {
    print((await client.set('model', value, changeOf(flags))).value, modelText)
  })
}

interface Order {
  readonly given: unknown
  readonly change?: PartChange
}

/** What to send. Options without a URL are laid over what is there, if that has not changed meanwhile. */
async function orderOf(
  client: AgentClient,
  part: 'input' | 'output',
  specs: Specs,
  alone: boolean,
  whom: ClientFlags,
): Promise<Order> {
  if (alone) return { given: onlyInput(specs) }
  const isPartial = Object.values(specs).some((spec) => spec !== null && !('url' in spec))
  if (!isPartial) return { given: specs }
  const { value, etag } = await client.get(part, whomOf(whom))
  const whole = Object.entries(specs).map(([id, spec]) => {
    if (spec === null || 'url' in spec) return [id, spec]
    return [id, { ...specIn(part, existing(part, value, id)), ...spec }]
  })
  const change = etag === undefined ? {} : { change: { ifMatch: etag } }
  return { given: Object.fromEntries(whole), ...change }
}

function onlyInput(specs: Specs): unknown {
  const { default: spec, ...others } = specs
  if (Object.keys(others).length === 0) return spec
  const message = 'a URL by itself replaces all inputs; give the others as a map: id=url id=url'
  throw new AgentError('CONFIG_INVALID', message)
}

function existing(part: string, shown: object, id: string): object {
  const known = shown as Readonly<Record<string, object>>
  const found = Object.hasOwn(known, id) ? known[id] : undefined
  if (found) return found
  const ids = Object.keys(known).join(' ') || 'none'
  throw new AgentError('NOT_FOUND', `no ${part} '${id}' yet (known: ${ids}); give its URL: ${id}=…`)
}

function changeOf({ replace, ifMatch, ...flags }: SetFlags & Whom): PartChange {
  return {
    ...whomOf(flags),
    ...(replace ? { replace } : {}),
    ...(ifMatch === undefined ? {} : { ifMatch }),
  }
}

/** A file's JSON, or its text where it is none; `-` is standard input. */
async function fileValue(file: string): Promise<unknown> {
  const content = (await contentOf(file)).trim()
  try {
    return JSON.parse(content)
  } catch {
    if (content !== '' && !/^[{["]|\n/.test(content)) return content
    throw new AgentError('CONFIG_INVALID', `'${file}' holds neither JSON nor a URL`)
  }
}

async function contentOf(file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new AgentError('CONFIG_INVALID', `cannot read '${file}': ${why}`, { cause })
  }
}
