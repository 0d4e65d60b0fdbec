import { readFileSync } from 'node:fs'
import { Compile } from 'typebox/schema'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Route } from '../../schemas/route.ts'
import { routes } from '../../schemas/routes.ts'
import {
  type Answered,
  type Document,
  type DocumentSchema,
  operationsOf,
  valuesOf,
} from '../schemas/openapi-document.ts'
import { type AgentUnderTest, startAgentUnderTest } from './agent-under-test.ts'
import { undocumented } from './documented-statuses.ts'

interface Message {
  readonly examples: readonly { readonly name: string; readonly payload: unknown }[]
}
interface AsyncDocument {
  readonly channels: Readonly<
    Record<string, { address: string | null; messages: Record<string, object> }>
  >
  readonly operations: Readonly<Record<string, { action: string; channel: { $ref: string } }>>
  readonly components: { readonly messages: Readonly<Record<string, Message>> }
}

const read = (name: string) => JSON.parse(readFileSync(`schemas/${name}.json`, 'utf8'))
const openApi: Document = read('openapi')
const asyncApi: AsyncDocument = read('asyncapi')

let agent: AgentUnderTest

beforeAll(async () => {
  agent = await startAgentUnderTest()
})
afterAll(async () => {
  await agent.stop()
})

/** One request as the document shows it. */
interface HttpExample {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly body?: { readonly type: string; readonly text: string }
  readonly responses: Readonly<Record<string, Answered>>
}

/** Every operation, with each example of its body, or without a body where it may have none. */
function httpExamples(): HttpExample[] {
  return operationsOf(openApi).flatMap(({ name, method, path, operation }) => {
    const { parameters = [], requestBody, responses } = operation
    const values = parameters.filter(({ example }) => example !== undefined)
    const at = values.reduce((url, one) => url.replace(`{${one.name}}`, `${one.example}`), path)
    const request = { method, path: at, responses }
    const bodies = valuesOf(requestBody?.content ?? {}).map(({ type, example, value }) => ({
      ...request,
      name: `${name}: ${example}`,
      body: { type, text: typeof value === 'string' ? value : JSON.stringify(value) },
    }))
    return requestBody?.required ? bodies : [{ ...request, name }, ...bodies]
  })
}

/** What an answer carries; of a stream of events, which does not end, nothing is read. */
async function contentOf(response: Response) {
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';')
  if (type !== 'text/event-stream') return { type, text: await response.text() }
  await response.body?.cancel()
  return { type, text: 'a stream' }
}

function expectValid(schema: DocumentSchema, value: unknown): void {
  const validator = Compile({ ...schema, components: openApi.components })
  expect(validator.Errors(value)[1]).toEqual([])
}

describe('the examples of the HTTP interface, carried out in turn', () => {
  // Service `door` is made first and goes last.
  const rank = ({ name }: HttpExample) =>
    name.startsWith('POST /services:') ? 0 : name.startsWith('DELETE') ? 2 : 1
  const all = httpExamples().toSorted((one, other) => rank(one) - rank(other))

  it('are found, one at least for each operation', () => {
    // Pictures and videos are sent in http-compute.test.ts.
    const uploads = Object.entries<Route>(routes).filter(([, route]) => route.uploads)
    const named = all.map(({ name }) => name.split(':')[0])
    const done = new Set([...named, ...uploads.map(([name]) => name)])
    expect([...done].toSorted()).toEqual(
      operationsOf(openApi)
        .map(({ name }) => name)
        .toSorted(),
    )
  })

  it.each(all)(
    '$name',
    async ({ method, path, body, responses }) => {
      const response = await fetch(`${agent.running.addresses.http}${path}`, {
        method,
        ...(body ? { body: body.text, headers: { 'content-type': body.type } } : {}),
      })
      const { type, text } = await contentOf(response)
      expect(Object.keys(responses), text).toContain(String(response.status))
      const { content = {}, headers = {} } = responses[response.status] ?? {}
      const promised = method === 'GET' ? Object.keys(headers) : []
      expect(promised.filter((header) => !response.headers.has(header))).toEqual([])
      expect(Object.keys(content)).toEqual(text === '' ? [] : expect.arrayContaining([type]))
      const { schema } = content[type] ?? {}
      if (schema) expectValid(schema, type.endsWith('json') ? JSON.parse(text) : text)
    },
    60_000,
  )
})

describe('a call that fails', () => {
  it.each([
    ['GET', '/services/nobody', {}, 404, 'NOT_FOUND'],
    ['POST', '/services', { body: '{"service": "No Id"}' }, 400, 'MESSAGE_INVALID'],
    ['POST', '/models', { body: '{"model": "no-such-model"}' }, 404, 'MODEL_UNKNOWN'],
    ['GET', '/nowhere', {}, 404, 'NOT_FOUND'],
  ])('%s %s answers with the problem that the document describes', async (...call) => {
    const [method, path, request, status, code] = call
    const response = await fetch(`${agent.running.addresses.http}${path}`, { method, ...request })
    const problem = await response.json()
    expect([response.status, problem]).toMatchObject([status, { status, code }])
    const [[type, { schema }] = ['', { schema: {} }]] = Object.entries(
      openApi.components.responses.problem.content ?? {},
    )
    expect(response.headers.get('content-type')?.split(';')[0]).toBe(type)
    expectValid(schema ?? {}, problem)
  })

  it('has a status that the document names', async () => {
    expect(await undocumented(agent.running.addresses.http)).toEqual([])
  })
})

/** One message as the document shows it. */
interface MqttExample {
  readonly name: string
  readonly topic: string
  readonly payload: unknown
}

interface Enveloped {
  readonly id: string
  readonly replyTo: string
}

const isEnvelope = (payload: unknown): payload is Enveloped =>
  typeof payload === 'object' && payload !== null && 'args' in payload

/** Every message that the agent takes. */
function mqttExamples(): MqttExample[] {
  const taken = Object.values(asyncApi.operations).filter(({ action }) => action === 'receive')
  return taken.flatMap(({ channel: { $ref } }) => {
    const { address, messages = {} } = asyncApi.channels[$ref.split('/').at(-1) ?? ''] ?? {}
    const topic = `${address}`
      .replace('{root}', 'edge')
      .replace('{agent}', 'lab')
      .replace('{service}', 'door')
    return Object.keys(messages).flatMap((message) =>
      (asyncApi.components.messages[message]?.examples ?? []).map(({ name, payload }) => {
        const how = isEnvelope(payload) ? 'in an envelope' : 'bare'
        return { name: `${topic}: ${name}, ${how}`, topic, payload }
      }),
    )
  })
}

describe('the examples of the MQTT interface, carried out in turn', () => {
  const all = mqttExamples()

  beforeEach(async () => {
    await agent.ask('$cmd/service/add', { service: 'door' })
  })

  it('are found, each bare and in an envelope', () => {
    const enveloped = all.filter(({ payload }) => isEnvelope(payload))
    expect(enveloped.length).toBeGreaterThan(10)
    expect(all.length).toBe(2 * enveloped.length)
  })

  it.each(all)(
    '$name',
    async ({ topic, payload }) => {
      if (!isEnvelope(payload)) return agent.send(topic, payload)
      const { replyTo, id } = payload
      const reply = agent.next(replyTo, (value) => value.id === id && value.status !== 'accepted')
      agent.send(topic, payload)
      expect((await reply).value).toMatchObject({ status: 'ok', agent: 'lab' })
    },
    60_000,
  )

  it('are not complained of, as a wrong one is', async () => {
    const complaint = agent.next('door/error')
    agent.send('door/compute', 'backwards')
    await complaint
    const complaints = agent.heard.filter(
      ({ topic, value }) => /\/(door\/error|\$error)$/.test(topic) && value.topic !== undefined,
    )
    expect(complaints.map(({ value }) => value.topic)).toEqual([agent.topic('door/compute')])
  })
})
