import { InputSpec, ModelOptions, OutputSpec } from '../../../schemas/control.ts'
import { isId } from '../../../schemas/ids.ts'
import type { TObject, TSchema } from '../../../schemas/typebox.ts'
import { AgentError } from '../../core/errors.ts'

/** What arguments such as `gate=rtsp://cam` and `gate.fps=5` ask for, by id. */
export type Specs = Readonly<Record<string, Spec | null>>
type Spec = Readonly<Record<string, unknown>>

const schemas = { input: InputSpec, output: OutputSpec } as const

/**
 * Reads `<id>=<url>`, `<id>.<option>=<value>` and `<id>=` (which removes); a URL by itself is the input
 * `default`. @throws AgentError CONFIG_INVALID
 */
export function readSpecs(what: 'input' | 'output', args: readonly string[]): Specs {
  const specs: Record<string, Spec | null> = {}
  for (const arg of args) {
    const { id, option = 'url', text } = pairOf(what, arg)
    const before = specs[id]
    if (option === 'url' && text === '') specs[id] = null
    else if (before === null) throw wrong(`'${arg}': '${id}' is to be removed`)
    else specs[id] = { ...before, [option]: optionValue(schemas[what], option, text, what) }
  }
  return specs
}

/** Whether it is a URL by itself, which replaces all inputs. */
export function isBare(arg: string): boolean {
  return !PAIR.test(arg)
}

/** Reads `minScore=0.6` and the like. @throws AgentError CONFIG_INVALID */
export function readModelOptions(args: readonly string[]): Spec {
  return Object.fromEntries(
    args.map((arg) => {
      const [, name, text] = /^(\w+)=(.*)$/s.exec(arg) ?? []
      if (name === undefined || text === undefined) {
        throw wrong(`--option '${arg}' must be name=value, as minScore=0.6`)
      }
      return [name, optionValue(ModelOptions, name, text, 'model')]
    }),
  )
}

/** The specification in what is shown of an input or output: what it is to be, not how it is. */
export function specIn(what: 'input' | 'output', shown: object): Spec {
  const known = Object.keys(schemas[what].properties)
  return Object.fromEntries(Object.entries(shown).filter(([name]) => known.includes(name)))
}

const PAIR = /^([^=:/?.]+)(?:\.(\w+))?=(.*)$/s

function pairOf(what: string, arg: string): { id: string; option?: string; text: string } {
  const [, id, option, text] = PAIR.exec(arg) ?? []
  if (id === undefined || text === undefined) {
    if (what === 'input') return { id: 'default', text: arg }
    throw wrong(`'${arg}' must be id=url or id.option=value`)
  }
  if (!isId(id)) {
    const rule = 'lower-case letters, digits, - and _, and no reserved word'
    throw wrong(`'${arg}': '${id}' is no id (${rule})`)
  }
  return { id, ...(option === undefined ? {} : { option }), text }
}

/** A value as its schema has it: text, numbers, a list with commas, or JSON. */
function optionValue(schema: TObject, name: string, text: string, what: string): unknown {
  const known = schema.properties as Readonly<Record<string, TSchema & { type?: string }>>
  const option = Object.hasOwn(known, name) ? known[name] : undefined
  if (!option) {
    const names = Object.keys(known).join(' ')
    throw wrong(
      `'${name}' is no option of ${what === 'model' ? 'a model' : `an ${what}`} (known: ${names})`,
    )
  }
  if (option.type === 'array' && !text.startsWith('[')) return text.split(',').map(jsonOr)
  return option.type === 'string' || 'enum' in option ? text : jsonOr(text)
}

/** JSON where it is some, else the text: the agent says what is wrong with it. */
function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function wrong(message: string): AgentError {
  return new AgentError('CONFIG_INVALID', message)
}
