import type { JsonSchema, SchemaWriter } from './components.ts'
import { type Example, examples } from './examples.ts'
import { bodyExamples } from './examples-http.ts'
import type { Answer, Route } from './route.ts'
import { type TopicName, topics } from './topics.ts'
import type { TSchema } from './typebox.ts'

/** What a route takes; nothing where it takes no body. */
export function bodyOf(name: string, route: Route, writer: SchemaWriter): object | undefined {
  const { body, bodyOptional = false, uploads = [] } = route
  const content = {
    ...(body ? jsonOrText(body, bodyExamples(name), writer) : {}),
    ...Object.fromEntries(uploads.map((type) => [type, uploadOf(type)])),
  }
  if (Object.keys(content).length === 0) return undefined
  return { required: !bodyOptional, content }
}

/** A string may be sent as it is: as a URL, say, without quotation marks. */
function jsonOrText(
  schema: TSchema,
  all: readonly Example[],
  writer: SchemaWriter,
): Record<string, object> {
  const texts = all.filter(({ payload }) => typeof payload === 'string')
  const others = all.filter(({ payload }) => typeof payload !== 'string')
  const json = { schema: writer.write(schema), ...named(others) }
  // Swagger UI offers what the schema shows, not the named examples, when it is switched to this media type.
  const payloads = texts.map(({ payload }) => payload)
  const text = { schema: { type: 'string', examples: payloads }, ...named(texts) }
  return { 'application/json': json, ...(texts.length > 0 ? { 'text/plain': text } : {}) }
}

/** A form carries files, as many as one likes; every other type is one file. */
function uploadOf(type: string): object {
  if (type !== 'multipart/form-data') return {}
  const file = { type: 'string', format: 'binary' }
  return { schema: { type: 'object', properties: { file: { type: 'array', items: file } } } }
}

/** A body by its media types. @param typeOfJson of the one that has a schema */
export function contentOf(
  { schema, content = [] }: Answer,
  writer: SchemaWriter,
  typeOfJson: string,
): Record<string, object> {
  const json = schema ? { [typeOfJson]: { schema: writer.write(schema), ...shown(schema) } } : {}
  const others = content.map((type) => [
    type,
    typeof type === 'string' && type.startsWith('text/') ? { schema: { type: 'string' } } : {},
  ])
  return { ...json, ...Object.fromEntries(others) }
}

/** What a topic shows may be an example of an answer, too. */
function shown(schema: TSchema): object {
  const names = Object.keys(topics) as TopicName[]
  return named(
    names.filter((name) => topics[name].payload === schema).flatMap((name) => examples[name]),
  )
}

function named(all: readonly Example[]): { examples?: JsonSchema } {
  if (all.length === 0) return {}
  return {
    examples: Object.fromEntries(all.map(({ name, payload }) => [name, { value: payload }])),
  }
}
