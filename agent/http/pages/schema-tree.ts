import { type Html, html } from './html.ts'

/** The keywords of JSON Schema that messages use. */
interface Shape {
  readonly type?: string
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, Shape>>
  readonly patternProperties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly items?: Shape | readonly Shape[]
  readonly anyOf?: readonly Shape[]
  readonly allOf?: readonly Shape[]
  readonly contentMediaType?: string
}

interface Field {
  readonly name: string
  readonly shape: Shape
  readonly required: boolean
}

/** Deeper ones are folded. */
const OPEN_DEPTH = 2

/** What a message may be: types, limits, descriptions, and the same of every field. */
export function schemaTree(schema: object): Html {
  return html`<div class="schema">${described(schema, 0)}</div>`
}

function described(shape: Shape, depth: number): Html {
  return html`${facts(shape)}${inside(shape, depth)}`
}

/** What it holds: the options of a union, where several hold fields; else its fields. */
function inside(shape: Shape, depth: number): Html {
  const { anyOf = [] } = shape
  const holding = anyOf.filter((one) => fieldsOf(one).length > 0)
  return holding.length > 1 ? alternatives(anyOf, depth) : fields(fieldsOf(shape), depth)
}

function facts(shape: Shape): Html {
  const limits = limitsOf(shape)
  return html`<span class="type">${typeOf(shape)}</span>${
    limits && html` <span class="limits">${limits}</span>`
  }${shape.description && html` <span class="text">${shape.description}</span>`}`
}

function alternatives(options: readonly Shape[], depth: number): Html {
  const items = options.map((one) => html`<li>${described(one, depth + 1)}</li>`)
  return html`<p class="either">One of:</p><ul>${items}</ul>`
}

function fields(all: readonly Field[], depth: number): Html {
  if (all.length === 0) return html``
  const items = all.map(({ name, shape, required }) => {
    const must = required ? html` <span class="must">required</span>` : undefined
    return html`<li><code class="name">${name}</code>${must} ${field(shape, depth + 1)}</li>`
  })
  return html`<ul>${items}</ul>`
}

function field(shape: Shape, depth: number): Html {
  if (fieldsOf(shape).length === 0 || depth < OPEN_DEPTH) return described(shape, depth)
  return html`<details><summary>${facts(shape)}</summary>${inside(shape, depth)}</details>`
}

/** The fields of an object, of a map's values, of a list's items, of all options of a union. */
function fieldsOf(shape: Shape): readonly Field[] {
  const { properties = {}, patternProperties = {}, required = [], items } = shape
  const { anyOf = [], allOf = [] } = shape
  const own = Object.entries(properties).map(([name, one]) => {
    return { name, shape: one, required: required.includes(name) }
  })
  const byId = Object.values(patternProperties).map((one) => {
    return { name: '<id>', shape: one, required: false }
  })
  const inList = items && !isTuple(items) ? fieldsOf(items) : []
  return [...own, ...byId, ...inList, ...[...anyOf, ...allOf].flatMap(fieldsOf)]
}

const isTuple = (items: Shape | readonly Shape[]): items is readonly Shape[] => Array.isArray(items)

function typeOf(shape: Shape): string {
  const { type, anyOf, allOf, items, patternProperties } = shape
  if (shape.enum) return shape.enum.map((value) => JSON.stringify(value)).join(' | ')
  if ('const' in shape) return JSON.stringify(shape.const)
  if (anyOf) return [...new Set(anyOf.map(typeOf))].join(' | ')
  if (allOf) return 'object'
  if (items)
    return isTuple(items) ? `[${items.map(typeOf).join(', ')}]` : `list of ${typeOf(items)}`
  if (patternProperties) return 'map by id'
  return type ?? shape.contentMediaType ?? 'anything'
}

const limitWords: Readonly<Record<string, (value: unknown) => string>> = {
  minimum: (value) => `≥ ${value}`,
  exclusiveMinimum: (value) => `> ${value}`,
  maximum: (value) => `≤ ${value}`,
  minLength: (value) => `at least ${value} characters`,
  maxLength: (value) => `at most ${value} characters`,
  pattern: (value) => `matches ${value}`,
}

function limitsOf(shape: Shape): string | undefined {
  const values: Readonly<Record<string, unknown>> = { ...shape }
  const said = Object.entries(limitWords)
    .filter(([keyword]) => values[keyword] !== undefined)
    .map(([keyword, words]) => words(values[keyword]))
  return said.length > 0 ? said.join(', ') : undefined
}
