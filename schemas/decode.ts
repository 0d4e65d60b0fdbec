import type { Static, TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'

/** A checked value, or what is wrong with it. `unknown` names fields that were ignored. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T; readonly unknown: readonly string[] }
  | { readonly ok: false; readonly problem: string }

const compiled = new WeakMap<TSchema, Validator>()

/** Checks a value against a schema. Never throws; unknown fields pass and are named. */
export function check<T extends TSchema>(schema: T, value: unknown): Decoded<Static<T>> {
  const validator = compiled.get(schema) ?? Compile(schema)
  compiled.set(schema, validator)
  if (!validator.Check(value)) return { ok: false, problem: problemOf(validator, value) }
  return { ok: true, value: value as Static<T>, unknown: unknownFields(schema, value, '') }
}

/** Reads bytes as JSON. Never throws. */
export function parseJson(bytes: Uint8Array): Decoded<unknown> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { ok: true, value: JSON.parse(text), unknown: [] }
  } catch {
    return { ok: false, problem: 'the payload is not JSON in UTF-8' }
  }
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

type Node = TSchema & {
  readonly properties?: Readonly<Record<string, TSchema>>
  readonly patternProperties?: Readonly<Record<string, TSchema>>
  readonly anyOf?: readonly TSchema[]
  readonly allOf?: readonly TSchema[]
}

function unknownFields(schema: Node, value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  const options = schema.anyOf ?? schema.allOf
  if (options) {
    const found = options
      .filter((option: Node) => option.properties || option.patternProperties || option.anyOf)
      .map((option) => unknownFields(option as Node, value, path))
    return found.sort((a, b) => a.length - b.length)[0] ?? []
  }
  const [pattern] = Object.values(schema.patternProperties ?? {})
  if (!schema.properties && !pattern) return []
  return Object.entries(value).flatMap(([key, child]) => {
    const known = schema.properties?.[key] ?? pattern
    return known ? unknownFields(known as Node, child, `${path}/${key}`) : [`${path}/${key}`]
  })
}
