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

const streaming =
  (text: string, end = false): Answer =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(text)
    if (end) response.end()
  }

/** One event as an agent sends it, without the empty line at its end. */
const frame = (type: string, payload: unknown): string =>
  `event: ${type}\ndata: ${JSON.stringify({ service: 'gate', topic: type, payload })}`

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
    const { client, requests } = await eventServer(
      streaming(
        `${[
          frame('stats', {}),
          frame('detections', { input: 'east' }),
          'event: news\ndata: no JSON',
          frame('detections', { input: 'west' }),
          frame('state', { state: 'idle' }),
        ].join('\n\n')}\n\n`,
      ),
    )
    expect(await watched(client, 2, { input: 'west' })).toEqual([
      { service: 'gate', kind: 'detections', data: { input: 'west' } },
      { service: 'gate', kind: 'state', data: { state: 'idle' } },
    ])
    const [request] = requests
    expect(request?.url).toBe('/services/gate/events?topics=detections%2Cstate&inputs=west')
    expect(request?.headers).toMatchObject({
      accept: 'text/event-stream',
      authorization: 'Bearer hush-hush',
    })
  })

  it('resumes after the last event it has seen, as soon as the server wishes', async () => {
    const { client, requests, notices } = await eventServer(
      streaming(`retry: 10\nid: boot-41\n${frame('state', 1)}\n\n`, true),
      (response) => void response.writeHead(503).end('The agent is starting.\n'),
      streaming(`id: boot-42\n${frame('state', 2)}\n\n`),
    )
    expect((await watched(client, 2)).map(({ data }) => data)).toEqual([1, 2])
    expect(requests.map(({ headers }) => headers['last-event-id'])).toEqual([
      undefined,
      'boot-41',
      'boot-41',
    ])
    expect(notices).toEqual([expect.stringContaining('trying again'), 'connected again'])
  })

  it('takes errors by their own name, and what was cleared as nothing', async () => {
    const { client } = await eventServer(
      streaming(`${frame('stream', null)}\n\n${frame('fault', { code: 'X' })}\n\n`),
    )
    expect(await watched(client, 2, { kinds: ['stream', 'error'] })).toEqual([
      { service: 'gate', kind: 'stream', data: undefined },
      { service: 'gate', kind: 'error', data: { code: 'X' } },
    ])
  })

  it('says when events were missed', async () => {
    const { client, notices } = await eventServer(
      streaming(`event: gap\ndata: {"missed":7}\n\n${frame('state', 1)}\n\n`),
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
