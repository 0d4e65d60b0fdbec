import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AgentClient, AgentEvent, EventKind } from '../../../agent/client/agent-client.ts'
import { httpClient } from '../../../agent/client/http.ts'

type Answer = (response: ServerResponse, request: IncomingMessage) => void

/** A server of events that answers one request after another as it is told. */
async function eventServer(...answers: Answer[]) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    answers[Math.min(requests.length, answers.length) - 1]?.(response, request)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const notices: string[] = []
  const client = httpClient({
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    token: 'hush-hush',
    notice: (text) => notices.push(text),
  })
  onTestFinished(async () => {
    await client.close()
    server.closeAllConnections()
    server.close()
  })
  return { client, requests, notices }
}

/** An event as the agent writes it. */
const event = (type: string, topic: string, payload: unknown): string =>
  `event: ${type}\ndata: ${JSON.stringify({ service: 'gate', topic, payload })}\n\n`

const streaming =
  (...texts: string[]): Answer =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(texts.join(''))
  }

const streamingToTheEnd =
  (...texts: string[]): Answer =>
  (response) =>
    void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(texts.join(''))

/** Watches until there were `count` events. */
async function watched(
  client: AgentClient,
  count: number,
  { kinds = ['detections', 'state'] as readonly EventKind[], input = '' } = {},
): Promise<AgentEvent[]> {
  const enough = new AbortController()
  const seen: AgentEvent[] = []
  const wanted = { service: 'gate', kinds, ...(input ? { input } : {}), signal: enough.signal }
  await client.watch(wanted, async (event) => {
    seen.push(event)
    if (seen.length >= count) enough.abort()
  })
  return seen
}

describe('watching over HTTP', () => {
  it('takes the kinds and the input that are wanted, whatever the server sends', async () => {
    const kinds = ['detections', 'state', 'error'] as const
    const { client, requests } = await eventServer(
      streaming(
        event('stats', 'stats', {}),
        event('detections', 'detections/east', { seq: 1 }),
        'event: news\ndata: no JSON\n\n',
        event('detections', 'detections/west', { seq: 2 }),
        event('fault', 'error', { code: 'INTERNAL' }),
        event('state', 'state', null),
      ),
    )
    expect(await watched(client, 3, { kinds, input: 'west' })).toEqual([
      { service: 'gate', kind: 'detections', topic: 'detections/west', data: { seq: 2 } },
      { service: 'gate', kind: 'error', topic: 'error', data: { code: 'INTERNAL' } },
      { service: 'gate', kind: 'state', topic: 'state', data: undefined },
    ])
    const [request] = requests
    expect(request?.url).toBe('/services/gate/events?topics=detections%2Cstate%2Cerror&inputs=west')
    expect(request?.headers).toMatchObject({
      accept: 'text/event-stream',
      authorization: 'Bearer hush-hush',
    })
  })

  it('resumes after the last event it has seen, as soon as the server wishes', async () => {
    const { client, requests, notices } = await eventServer(
      streamingToTheEnd(`retry: 10\nid: boot-41\n${event('state', 'state', 1)}`),
      (response) => void response.writeHead(503).end('The agent is starting.\n'),
      streaming(`id: boot-42\n${event('state', 'state', 2)}`),
    )
    expect((await watched(client, 2)).map(({ data }) => data)).toEqual([1, 2])
    expect(requests.map(({ headers }) => headers['last-event-id'])).toEqual([
      undefined,
      'boot-41',
      'boot-41',
    ])
    expect(notices).toEqual([expect.stringContaining('trying again'), 'connected again'])
  })

  it('says when events were missed', async () => {
    const { client, notices } = await eventServer(
      streaming('event: gap\ndata: {"missed":7}\n\n', event('state', 'state', 1)),
    )
    await watched(client, 1)
    expect(notices).toEqual([expect.stringContaining('{"missed":7}')])
  })

  it('ends at once when it is told to, also while nothing comes', async () => {
    const { client } = await eventServer(streaming(': silence\n\n'))
    const enough = new AbortController()
    const watching = client.watch(
      { service: 'gate', kinds: ['state'], signal: enough.signal },
      async () => undefined,
    )
    enough.abort()
    await expect(watching).resolves.toBeUndefined()
  })

  it('says that an agent has no events to watch', async () => {
    const { client } = await eventServer((response, { url }) => {
      const detail = `nothing is at GET ${url?.replace(/\?.*/, '')}`
      response.writeHead(404, { 'content-type': 'application/problem+json' })
      response.end(JSON.stringify({ code: 'NOT_FOUND', detail, retryable: false }))
    })
    await expect(watched(client, 1)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('does not offer GET /services/gate/events'),
    })
  })

  it('does not try again what was refused', async () => {
    const { client, requests } = await eventServer((response) => void response.writeHead(401).end())
    await expect(watched(client, 1)).rejects.toMatchObject({ code: 'NOT_AUTHORIZED' })
    expect(requests).toHaveLength(1)
  })
})

describe('an address where no agent is', () => {
  it('is told from an agent that fails', async () => {
    const { client } = await eventServer((response) => void response.end('<h1>It works!</h1>'))
    await expect(client.info()).rejects.toMatchObject({
      code: 'AGENT_UNREACHABLE',
      message: expect.stringContaining('not as an agent does'),
    })
  })

  it('is named without the password in it', async () => {
    const client = httpClient({ url: new URL('http://me:secret@127.0.0.1:1/') })
    const failure = await client.ping().catch((error: Error) => error)
    expect(failure).toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true })
    expect(String(failure)).toContain('http://127.0.0.1:1: nothing listens there')
    expect(String(failure)).not.toContain('secret')
  })

  it('is given up when it takes too long', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const client = httpClient({ url, timeoutMs: 100 })
    await expect(client.ping()).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('within 0.1 s (--timeout)'),
    })
    await client.close()
  })
})
