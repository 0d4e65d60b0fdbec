import { ConfigSchema, type SettingSchema, settings } from '../../schemas/config.ts'
import { check } from '../../schemas/decode.ts'
import { isId } from '../../schemas/ids.ts'
import { masked } from './describe.ts'
import type { Given, Problem } from './given.ts'
import { didYouMean } from './suggest.ts'

/** A checked value of the configuration that holds no other settings. */
export interface Leaf extends Given {
  readonly schema: SettingSchema
}

/** The values in `given` that are right, and what is wrong with the others. Never throws. */
export function checkGiven(given: Given): { leaves: Leaf[]; problems: Problem[] } {
  const leaves: Leaf[] = []
  const problems: Problem[] = []
  walk(given, ConfigSchema, { leaves, problems })
  return { leaves, problems }
}

interface Findings {
  readonly leaves: Leaf[]
  readonly problems: Problem[]
}

type Node = SettingSchema & {
  readonly required?: readonly string[]
  readonly anyOf?: readonly Node[]
  readonly patternProperties?: Readonly<Record<string, Node>>
}

function walk(given: Given, found: Node, findings: Findings): void {
  const schema = narrow(found, given.value)
  if (schema.properties || schema.patternProperties) walkMap(given, schema, findings)
  else takeLeaf(given, schema, findings)
}

function walkMap(given: Given, schema: Node, findings: Findings): void {
  const { path, origin } = given
  const value = given.value ?? {}
  if (typeof value !== 'object' || Array.isArray(value)) {
    const keys = schema.properties ? `: ${Object.keys(schema.properties).join(', ')}` : ' by id'
    report(given, `must be a map${keys}`, findings)
    return
  }
  for (const [key, child] of Object.entries(value)) {
    const below: Given = { path: [...path, key], value: child, origin }
    const known = childOf(schema, key)
    if (known) walk(below, known, findings)
    else findings.problems.push(unknownKey(below, schema))
  }
  // Only what is below `services` must be complete, even if it is empty; the rest has defaults.
  if (path[0] !== 'services') return
  if (Object.keys(value).length === 0) findings.leaves.push({ ...given, value: {}, schema })
  const missing = (schema.required ?? []).filter((key) => !(key in value))
  if (missing.length > 0) report(given, `needs ${missing.join(' and ')}`, findings)
}

function takeLeaf(given: Given, schema: Node, { leaves, problems }: Findings): void {
  const checked = check(schema, given.value)
  if (checked.ok) {
    leaves.push({ ...given, schema })
    return
  }
  const [, below = '', what = checked.problem] =
    /^(\/\S+|the payload) (.*)$/s.exec(checked.problem) ?? []
  const inside = below.startsWith('/') ? below.slice(1).split('/') : []
  const value = inside.reduce<unknown>(child, given.value)
  report({ ...given, path: [...given.path, ...inside], value }, what, { problems, leaves })
}

function child(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}

function report(given: Given, what: string, { problems }: Findings): void {
  const { path, value, origin } = given
  const safe = masked(value, path.at(-1))
  const shown = typeof safe === 'string' ? `'${safe}'` : (JSON.stringify(safe) ?? 'nothing')
  const got = shown.length > 80 ? `${shown.slice(0, 77)}…` : shown
  problems.push(`${origin.where(path, 'value')}: ${path.join('.')} ${what}; it is ${got}`)
}

/** The member of a union that a value of this shape is meant to be. */
function narrow(schema: Node, value: unknown): Node {
  if (!schema.anyOf) return schema
  const kind = value === null ? 'null' : typeof value
  const options = members(schema).filter((option) => option.type === kind)
  const single = options.find((option) => option.properties)
  const map = options.find((option) => option.patternProperties)
  if (!single || !map) return options[0] ?? schema
  // As on `input/set`: an object whose `url` is a string is one input, any other a map of inputs.
  return typeof child(value, 'url') === 'string' ? single : map
}

function members(schema: Node): readonly Node[] {
  return schema.anyOf ? schema.anyOf.flatMap(members) : [schema]
}

function childOf(schema: Node, key: string): Node | undefined {
  if (schema.properties) {
    return Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined
  }
  return isId(key) ? Object.values(schema.patternProperties ?? {})[0] : undefined
}

function unknownKey({ path, origin }: Given, parent: Node): Problem {
  const key = path.at(-1) ?? ''
  const where = `${origin.where(path, 'key')}:`
  if (!parent.properties) {
    return `${where} ${path.join('.')}: '${key}' cannot be an id: use lower-case letters, digits, - and _, at most 63, and none of the reserved words`
  }
  const siblings = Object.keys(parent.properties)
  const elsewhere = settings.filter((setting) => setting.path.at(-1) === key)
  const hint =
    elsewhere.length > 0 && path.length < 3
      ? ` (did you mean ${elsewhere.map(({ name }) => name).join(' or ')}?)`
      : didYouMean(key, siblings)
  return `${where} there is no setting ${path.join('.')}${hint}; known here: ${siblings.join(', ')}`
}
