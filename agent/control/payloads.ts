import {
  ComputeRequest,
  InputMap,
  InputSpec,
  ModelChange,
  OutputSet,
  type OutputSpec,
} from '../../schemas/control.ts'
import { check } from '../../schemas/decode.ts'
import type { ErrorCode } from '../../schemas/errors.ts'
import { isId } from '../../schemas/ids.ts'
import type { Static, TSchema } from '../../schemas/typebox.ts'
import { schemeOf, sinkSchemes, sourceSchemes } from '../../schemas/urls.ts'
import { AgentError } from '../core/errors.ts'
import { MASKED, redact, restorePassword, restoreSecret } from '../core/redact.ts'
import { each, merged } from './records.ts'
import type { Desired, ServiceEvent } from './service-state.ts'

/** A checked wish, and the fields of the message that were ignored. */
export interface Read<T> {
  readonly value: T
  readonly unknown: readonly string[]
}

type SetInputs = Extract<ServiceEvent, { type: 'input/set' }>
type SetOutputs = Extract<ServiceEvent, { type: 'output/set' }>
type SetModel = Extract<ServiceEvent, { type: 'model/set' }>

/** How many inputs, and outputs, a service may have. */
export interface PartLimits {
  readonly inputsPerService: number
  readonly outputsPerService: number
}

/**
 * Reads `input/set`: a URL or one input replaces all by `default`; a map merges, unless it is to replace all.
 * @throws AgentError MESSAGE_INVALID, SOURCE_UNSUPPORTED, LIMIT_EXCEEDED
 */
export function readInputs(
  args: unknown,
  desired: Desired,
  limits: PartLimits,
  replaceAll = false,
): Read<SetInputs> {
  const one = asUrl(args)
  const { value, unknown } = one
    ? checked('input/set', InputSpec, one)
    : checked('input/set', InputMap, args)
  const map = one ? { default: value as InputSpec } : (value as InputMap)
  const patch = mapPatch(map, desired.inputs, 'SOURCE_UNSUPPORTED', 'source reads', sourceSchemes)
  const replace = replaceAll || one !== undefined
  const count = Object.keys(merged(replace ? {} : desired.inputs, patch)).length
  atMost(count, limits.inputsPerService, 'inputs', 'limits.inputsPerService')
  return { value: { type: 'input/set', replace, patch }, unknown }
}

/** A bare URL, or an object whose `url` is a string, means one input. */
function asUrl(args: unknown): object | undefined {
  if (typeof args === 'string') return { url: args }
  if (typeof args !== 'object' || args === null || !('url' in args)) return undefined
  return typeof args.url === 'string' ? args : undefined
}

/**
 * Reads `output/set`: a merge patch, unless it is to replace all.
 * @throws AgentError MESSAGE_INVALID, SINK_UNSUPPORTED, LIMIT_EXCEEDED
 */
export function readOutputs(
  args: unknown,
  desired: Desired,
  limits: PartLimits,
  replaceAll = false,
): Read<SetOutputs> {
  const { value, unknown } = checked('output/set', OutputSet, args)
  const named = mapPatch(value, desired.outputs, 'SINK_UNSUPPORTED', 'output writes', sinkSchemes)
  const others = replaceAll ? each(Object.keys(desired.outputs), () => null) : {}
  const patch = { ...others, ...withSecrets(named, desired.outputs) }
  const count = Object.keys(merged(desired.outputs, patch)).length
  atMost(count, limits.outputsPerService, 'outputs', 'limits.outputsPerService')
  return { value: { type: 'output/set', patch }, unknown }
}

/** The patch with the secrets that it only alludes to, each of the same output. @throws AgentError MESSAGE_INVALID */
function withSecrets(patch: Patch<OutputSpec>, before: Desired['outputs']): SetOutputs['patch'] {
  const outputs = Object.entries(patch).map(([id, spec]) => {
    if (spec === null || typeof spec === 'string' || spec.secret !== MASKED) return [id, spec]
    const secret = restoreSecret(spec.url, before[id])
    if (secret !== undefined) return [id, { ...spec, secret }]
    throw new AgentError(
      'MESSAGE_INVALID',
      `output/set: the secret of '${id}' is '${MASKED}', which stands for the one it has only while scheme, host and port stay the same; send the secret itself`,
    )
  })
  return Object.fromEntries(outputs)
}

/** Reads `model/set`: a model's id, or a change; options merge, unless they are to replace all. @throws AgentError MESSAGE_INVALID */
export function readModel(args: unknown, replace = false): Read<SetModel> {
  const change = typeof args === 'string' ? { model: args } : args
  const { value, unknown } = checked('model/set', ModelChange, change)
  const { model, device, options } = value
  return {
    value: {
      type: 'model/set',
      ...(replace ? { replace } : {}),
      ...(model === undefined ? {} : { id: model }),
      ...(device === undefined ? {} : { device }),
      ...(options === undefined ? {} : { options }),
    },
    unknown,
  }
}

/** Reads `compute`; an empty payload means start. @throws AgentError MESSAGE_INVALID */
export function readCompute(args: unknown): Read<ComputeRequest> {
  return checked(
    'compute',
    ComputeRequest,
    typeof args === 'string' ? { action: args } : (args ?? {}),
  )
}

/** Checks arguments against a schema. @throws AgentError MESSAGE_INVALID */
export function checked<T extends TSchema>(
  name: string,
  schema: T,
  args: unknown,
): Read<Static<T>> {
  const decoded = check(schema, args)
  if (!decoded.ok) throw new AgentError('MESSAGE_INVALID', `${name}: ${decoded.problem}`)
  return decoded
}

/** One input as a message names it. @throws AgentError SOURCE_UNSUPPORTED */
function inputSpec(value: string | InputSpec): InputSpec {
  const spec = typeof value === 'string' ? { url: value } : value
  known(spec.url, 'SOURCE_UNSUPPORTED', 'source reads', sourceSchemes)
  return spec
}

type Patch<T> = Readonly<Record<string, T | string | null>>

function mapPatch<T extends { readonly url: string }>(
  map: Patch<T>,
  before: Readonly<Record<string, T>>,
  code: ErrorCode,
  verb: string,
  schemes: readonly string[],
): Record<string, T | null> {
  return Object.fromEntries(
    Object.entries(map).map(([id, value]) => {
      if (!isId(id)) {
        const rule = 'lower-case letters, digits, - and _, at most 63, and no reserved word'
        throw new AgentError('MESSAGE_INVALID', `'${id.slice(0, 80)}' is no id (${rule})`)
      }
      if (value === null) return [id, null]
      const spec = typeof value === 'string' ? { url: value } : value
      known(spec.url, code, verb, schemes)
      return [id, { ...spec, url: restorePassword(spec.url, before[id]?.url) } as T]
    }),
  )
}

function known(url: string, code: ErrorCode, verb: string, schemes: readonly string[]): void {
  if (schemes.includes(schemeOf(url))) return
  throw new AgentError(
    code,
    `no ${verb} '${redact(url).slice(0, 200)}' (known: ${schemes.join(' ')})`,
  )
}

function atMost(count: number, limit: number, what: string, setting: string): void {
  if (count <= limit) return
  throw new AgentError(
    'LIMIT_EXCEEDED',
    `${count} ${what} are more than the ${limit} allowed (setting ${setting})`,
  )
}

/**
 * What a `once` reads: a source of its own, the input it names, or the only one.
 * @throws AgentError MESSAGE_INVALID, SOURCE_UNSUPPORTED
 */
export function onceSource(input: string | InputSpec | undefined, { inputs }: Desired) {
  const ids = Object.keys(inputs)
  const id = input ?? (ids.length === 1 ? ids[0] : undefined)
  if (id === undefined) {
    const known = ids.length === 0 ? 'none is set' : `known: ${ids.join(' ')}`
    throw new AgentError(
      'MESSAGE_INVALID',
      `compute: once needs 'input', a URL or an input's id (${known})`,
    )
  }
  const own = typeof id === 'string' && Object.hasOwn(inputs, id) ? inputs[id] : undefined
  if (own && typeof id === 'string') return { spec: own, input: id }
  return { spec: inputSpec(id) }
}

/** Refuses labels that a model does not have. @throws AgentError MESSAGE_INVALID, listing those it has */
export function checkLabels(asked: readonly string[], labels: readonly (string | null)[]): void {
  const strange = asked.filter((label) => !labels.includes(label)).map((label) => `'${label}'`)
  if (strange.length === 0) return
  const known = labels.filter((label) => label !== null).join(', ')
  throw new AgentError(
    'MESSAGE_INVALID',
    `the model has no label ${strange.join(', ')} (known: ${known})`,
  )
}
