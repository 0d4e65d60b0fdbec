import { Compile, type Static, type TSchema, type Validator } from './typebox.ts'

/** A checked value, or what is wrong with it. `unknown` names fields that were ignored. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T; readonly unknown: readonly string[] }
  | { readonly ok: false; readonly problem: string }

const compiled = new WeakMap<TSchema, Validator>()

function validatorOf(schema: TSchema): Validator {
  const validator = compiled.get(schema) ?? Compile(schema)
  compiled.set(schema, validator)
  return validator
}

/** Checks a value against a schema. Never throws; unknown fields pass and are named. */
export function check<T extends TSchema>(schema: T, value: unknown): Decoded<Static<T>> {
  const validator = validatorOf(schema)
  if (!validator.Check(value)) return { ok: false, problem: problemOf(validator, value) }
  return { ok: true, value: value as Static<T>, unknown: unknownFields(schema, value, '') }
}

/** No message nests as deep; what checks and prints values does so by recursion. */
const DEEPEST = 64

/** Reads bytes as JSON, at most 64 levels deep. Never throws. */
export function parseJson(bytes: Uint8Array): Decoded<unknown> {
  if (isDeeper(bytes, DEEPEST)) {
    return { ok: false, problem: `the payload is JSON that nests deeper than ${DEEPEST} levels` }
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { ok: true, value: JSON.parse(text), unknown: [] }
  } catch {
    return { ok: false, problem: 'the payload is not JSON in UTF-8' }
  }
}

/** Whether brackets outside of strings nest deeper, in time linear in the length. */
function isDeeper(bytes: Uint8Array, levels: number): boolean {
  let level = 0
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === 0x22) at = endOfString(bytes, at)
    else if (byte === 0x5b || byte === 0x7b) level += 1
    else if (byte === 0x5d || byte === 0x7d) level -= 1
    if (level > levels) return true
  }
  return false
}

/** Where the string that begins at `start` has its closing quote. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1
  while (at < bytes.length && bytes[at] !== 0x22) at += bytes[at] === 0x5c ? 2 : 1
  return at
}

function problemOf(validator: Validator, value: unknown): string {
  const errors = [...validator.Errors(value)]
  const deepest = errors.reduce(
    (best, error) => (depth(error.instancePath) > depth(best.instancePath) ? error : best),
    errors[0] ?? { instancePath: '', message: 'is invalid', params: {} },
  )
  const allowed = (deepest.params as { allowedValues?: readonly unknown[] }).allowedValues
  const hint = allowed ? ` (${allowed.join(', ')})` : ''
  return `${deepest.instancePath || 'the payload'} ${deepest.message}${hint}`
}

const depth = (path: string): number => path.split('/').length

/** The keywords of JSON Schema that say where further fields may lie. */
type Shape = TSchema & {
  readonly properties?: Readonly<Record<string, Shape>>
  readonly patternProperties?: Readonly<Record<string, Shape>>
  readonly items?: Shape | readonly Shape[]
  readonly anyOf?: readonly Shape[]
  readonly allOf?: readonly Shape[]
}

function unknownFields(schema: Shape, value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return []
  const option = schema.anyOf?.find((one) => validatorOf(one).Check(value))
  if (option) return unknownFields(option, value, path)
  if (Array.isArray(value)) return value.flatMap((item, at) => inItem(schema, item, at, path))
  const parts = schema.allOf ?? [schema]
  if (!parts.some((part) => part.properties || part.patternProperties)) return []
  return Object.entries(value).flatMap(([key, child]) => {
    const [known] = parts.flatMap((part) => shapesOf(part, key))
    return known ? unknownFields(known, child, `${path}/${key}`) : [`${path}/${key}`]
  })
}

function inItem(schema: Shape, item: unknown, at: number, path: string): string[] {
  const shape = Array.isArray(schema.items) ? schema.items[at] : schema.items
  return shape ? unknownFields(shape, item, `${path}/${at}`) : []
}

function shapesOf(part: Shape, key: string): Shape[] {
  const { properties = {}, patternProperties = {} } = part
  const named = Object.hasOwn(properties, key) ? properties[key] : undefined
  if (named) return [named]
  return Object.entries(patternProperties)
    .filter(([pattern]) => new RegExp(pattern, 'u').test(key))
    .map(([, shape]) => shape)
}
