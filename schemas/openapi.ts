import { type SchemaWriter, schemaWriter } from './components.ts'
import { pathExamples } from './examples-http.ts'
import { bodyOf, contentOf } from './openapi-content.ts'
import {
  answerHeaders,
  answerHeadersOf,
  requestHeaders,
  requestHeadersOf,
} from './openapi-headers.ts'
import { problemsOf } from './openapi-problems.ts'
import { type Answer, problemAnswer, type Route } from './route.ts'
import { routes } from './routes.ts'

type Table = Readonly<Record<string, Route>>

/** A route and what its neighbours say of it. */
interface Described {
  readonly name: string
  readonly route: Route
  /** It is about configuration: its path can be put, and has an ETag. */
  readonly isGuarded: boolean
}

/**
 * The HTTP interface as an OpenAPI 3.1 document, derived from the table of routes. The same version and table
 * give the same document.
 */
export function openApi(version: string, table: Table = routes): object {
  const writer = schemaWriter()
  const paths: Record<string, Record<string, object>> = {}
  for (const [name, route] of Object.entries(table)) {
    const isGuarded = Object.hasOwn(table, `PUT ${route.path}`) && route.uploads === undefined
    const method = route.method.toLowerCase()
    const described = operation({ name, route, isGuarded }, writer)
    paths[route.path] = { ...paths[route.path], [method]: described }
  }
  const problem = {
    description: problemAnswer.description,
    content: contentOf(problemAnswer, writer, 'application/problem+json'),
  }
  return {
    openapi: '3.1.1',
    info: { ...info, version },
    servers: [{ url: '/', description: 'The agent that serves this document.' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: writer.components,
      responses: { problem },
      parameters: requestHeaders,
      headers: answerHeaders,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'Where clients authenticate.' },
      },
    },
  }
}

const info = {
  title: 'Heliograph edge inference agent',
  description:
    'What runs, where it looks and where results go, over HTTP. The same can be asked for over MQTT: see [events](/docs/events). Whatever goes wrong is answered as a problem (RFC 9457).',
  license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
}

const tags: Readonly<Record<Route['tag'], string>> = {
  'default service': 'The service named `default`, else the only one.',
  services: 'Every service by its name.',
  models: 'The models that services may use.',
  agent: 'The agent itself.',
}

function operation({ name, route, isGuarded }: Described, writer: SchemaWriter): object {
  const { tag, summary, role, answers } = route
  const parameters = [
    ...valuesIn('path', route.params, writer),
    ...valuesIn('query', route.query, writer),
    ...requestHeadersOf(route, isGuarded),
  ]
  const body = bodyOf(name, route, writer)
  const responses = Object.entries(answers).map(([status, answer]) => {
    const described = describeAnswer(
      answer,
      answerHeadersOf(route, Number(status), isGuarded),
      writer,
    )
    return [status, described]
  })
  return {
    operationId: idOf(name),
    tags: [tag],
    summary,
    ...(role === 'anyone'
      ? {}
      : { description: `For the role ${role}, where clients authenticate.` }),
    security: role === 'anyone' ? [] : [{}, { bearer: [role] }],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: body } : {}),
    responses: {
      ...Object.fromEntries(responses),
      ...problemsOf(route, isGuarded),
      default: { $ref: '#/components/responses/problem' },
    },
  }
}

/** `PUT /services/{service}/input` → `putServicesServiceInput`. */
function idOf(name: string): string {
  const [method = '', ...words] = name.split(/[^A-Za-z0-9]+/).filter(Boolean)
  const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
  return method.toLowerCase() + words.map(capital).join('')
}

function valuesIn(
  where: 'path' | 'query',
  schema: Route['params'],
  writer: SchemaWriter,
): object[] {
  const { properties = {} } = schema ?? {}
  const required: readonly string[] = schema?.required ?? []
  return Object.entries(properties).map(([name, value]) => ({
    name,
    in: where,
    ...(required.includes(name) ? { required: true } : {}),
    schema: writer.write(value),
    ...(where === 'path' ? { example: pathExamples[name] } : {}),
  }))
}

function describeAnswer(
  answer: Answer,
  headers: Readonly<Record<string, object>>,
  writer: SchemaWriter,
): object {
  const content = contentOf(answer, writer, 'application/json')
  return {
    description: answer.description,
    ...(Object.keys(headers).length > 0 ? { headers } : {}),
    ...(Object.keys(content).length > 0 ? { content } : {}),
  }
}
