import * as control from './control.ts'
import * as http from './http.ts'
import * as results from './results.ts'
import * as state from './state.ts'
import type { TSchema } from './typebox.ts'

/** A schema as JSON (JSON Schema 2020-12). */
export type JsonSchema = Readonly<Record<string, unknown>>

/** Writes schemas as a document shows them. */
export interface SchemaWriter {
  /** The schema; where it is or holds one that has a name of its own, a reference. */
  write(schema: TSchema): JsonSchema
  /** What was referred to so far, by name. */
  readonly components: Readonly<Record<string, JsonSchema>>
}

/** Exported schemas by the JSON they are: copies that the schema library makes are told by nothing else. */
const names = new Map<string, string>(
  Object.entries({ ...control, ...results, ...state, ...http }).map(([name, schema]) => [
    JSON.stringify(schema),
    name,
  ]),
)

/** A writer of schemas for one document: those that a file in `schemas/` exports are named as they are there. */
export function schemaWriter(): SchemaWriter {
  const components: Record<string, JsonSchema> = {}
  const writeValue = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(writeValue)
    if (typeof value !== 'object' || value === null) return value
    const name = names.get(JSON.stringify(value))
    return name === undefined ? writeParts(value) : writeReference(name, value)
  }
  const writeParts = (value: object): JsonSchema =>
    Object.fromEntries(Object.entries(asTuple(value)).map(([key, part]) => [key, writeValue(part)]))
  const writeReference = (name: string, value: object): JsonSchema => {
    components[name] ??= writeParts(value)
    return { $ref: `#/components/schemas/${name}` }
  }
  return {
    components,
    write: (schema) => writeValue(JSON.parse(JSON.stringify(schema))) as JsonSchema,
  }
}

/** Tuples are written as before 2020-12 by the schema library; `prefixItems` is their name since. */
function asTuple(value: object): object {
  if (!('items' in value && Array.isArray(value.items) && 'additionalItems' in value)) return value
  const { items, additionalItems, ...others } = value
  return { ...others, prefixItems: items, items: additionalItems }
}
