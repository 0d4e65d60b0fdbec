import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AgentEvent } from '../../agent/client/agent-client.ts'
import { httpClient } from '../../agent/client/http.ts'
import { needs } from '../interop/needs.ts'
import { type AgentUnderTest, media, startAgentUnderTest } from './agent-under-test.ts'
import { type EventClient, eventClient, type ServerEvent } from './event-client.ts'

const clip = { url: `file://${media('dog.mp4')}`, loop: true, fps: 10 }
const run = promisify(execFile)

describe('server-sent events of a real agent', () => {
  let agent: AgentUnderTest
  const open = (path: string, headers: Record<string, string> = {}): Promise<EventClient> =>
    eventClient(`${agent.running.addresses.http}${path}`, headers)
  const on = (topic: string) => (event: ServerEvent) => event.data.topic === topic

  beforeAll(async () => {
    agent = await startAgentUnderTest({ 'http.events.streams': '4' })
    await agent.ask('$cmd/service/add', { service: 'door', input: { gate: clip, side: clip } })
    await agent.ask('$cmd/service/add', { service: 'yard' })
    await agent.next('door/detections/gate', undefined, 0)
    await agent.next('door/detections/side', undefined, 0)
  })
  afterAll(() => agent.stop())

  it('begin with every retained value, and go on with the same payloads as MQTT', async () => {
    const { response, next, events, leave } = await open('/services/door/events')
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    const heard = await next(({ type }) => type === 'detections', 0)
    const snapshot = events.items.slice(0, events.items.indexOf(heard))
    expect(snapshot.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['input', 'output', 'model', 'state', 'stream']),
    )
    const { data } = await next(on('state'), 0)
    expect(data).toMatchObject({ service: 'door', payload: { state: 'running' } })
    const input = data.topic && heard.data.payload.input
    expect(heard.data).toEqual({
      service: 'door',
      topic: `detections/${input}`,
      payload: heard.data.payload,
    })
    const { seq, run: opening } = heard.data.payload
    const { value } = await agent.next(
      `door/detections/${input}`,
      (result) => result.seq === seq && result.run === opening,
      0,
    )
    expect(heard.data.payload).toEqual(value)
    await next(({ type }) => type === 'stats', 0)
    leave()
  })

  it('tell of the whole agent, or of the topics and inputs that were asked for', async () => {
    const all = await open('/events')
    const some = await open('/events?topics=detections,state&inputs=side')
    await all.next(on('$metrics'), 0)
    await all.next(({ data }) => data.service === 'yard', 0)
    await some.next(({ data }) => data.topic === 'detections/side' && data.payload.seq > 2)
    const topics = new Set(some.events.items.map(({ data }) => data.topic))
    expect(topics).toEqual(new Set(['state', 'detections/side']))
    all.leave()
    some.leave()
    const wrong = await open('/events?topics=detection')
    expect(wrong.response.statusCode).toBe(400)
    expect((await open('/services/none/events')).response.statusCode).toBe(404)
  })

  it('go on after a lost connection where it was lost, with nothing missing', async () => {
    const path = '/services/door/events?topics=detections&inputs=gate'
    const first = await open(path)
    const { data } = await first.next(({ type }) => type === 'detections', 0)
    first.leave()
    await first.closed
    const lastId = first.lastId
    const missed = await agent.next(
      'door/detections/gate',
      ({ seq, run: opening }) => opening !== data.payload.run || seq > data.payload.seq + 5,
    )
    const second = await open(path, { 'last-event-id': lastId })
    await second.next((event) => event.data.payload?.seq === missed.value.seq, 0)
    const heard = [...first.events.items, ...second.events.items].map(({ data: { payload } }) => [
      payload.run,
      payload.seq,
    ])
    const from = agent.heard.findIndex(
      ({ value }) => value?.run === heard[0]?.[0] && value.seq === heard[0]?.[1],
    )
    const published = agent.heard
      .slice(from)
      .filter(({ topic }) => topic === agent.topic('door/detections/gate'))
      .map(({ value }) => [value.run, value.seq])
    expect(heard.length).toBeGreaterThan(5)
    expect(heard).toEqual(published.slice(0, heard.length))
    expect([...second.events.items].map(({ type }) => type)).not.toContain('gap')
    second.leave()
  })

  it('tell of a gap after the agent was another, and begin anew', async () => {
    const client = await open('/events?lastEventId=0badcafe:17')
    const [gap] = await client.events.until((items) => items.length > 5)
    expect(gap).toMatchObject({ type: 'gap', data: { after: '0badcafe:17' } })
    await client.next(on('$state'), 0)
    client.leave()
  })

  it('tell of a refused message, under a name that is not that of a lost connection', async () => {
    const client = await open('/services/yard/events')
    await client.next(on('state'), 0)
    agent.send('yard/input/set', { gate: 'gopher://x' })
    const { type, data } = await client.next(on('error'), 0)
    expect([type, data.payload.code]).toEqual(['fault', 'SOURCE_UNSUPPORTED'])
    client.leave()
  })

  it('end when their service is removed, after its last words', async () => {
    await agent.ask('$cmd/service/add', { service: 'brief' })
    const client = await open('/services/brief/events')
    await client.next(on('state'), 0)
    await agent.ask('$cmd/service/remove', { service: 'brief' })
    await client.closed
    expect(client.events.items.at(-1)?.data).toEqual({
      service: 'brief',
      topic: 'state',
      payload: null,
    })
    expect(client.response.complete).toBe(true)
  })

  it('are refused past their limit, and never opened by HEAD or an idempotency key', async () => {
    const url = `${agent.running.addresses.http}/events`
    for (let count = 0; count < 6; count += 1) await fetch(url, { method: 'HEAD' })
    const key = { 'idempotency-key': 'k' }
    const clients = [await open('/events', key), await open('/events', key)]
    clients.push(await open('/events'), await open('/events'))
    for (const { next } of clients) await next(on('$state'), 0)
    const refused = await open('/events')
    expect(refused.response.statusCode).toBe(503)
    expect(refused.response.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'retry-after': '1',
    })
    for (const { leave } of clients) leave()
    await expect
      .poll(async () => {
        const again = await open('/events')
        again.leave()
        return again.response.statusCode
      })
      .toBe(200)
  })

  it.skipIf(!needs('curl', 'curl'))('are read by curl', async () => {
    const args = ['-sN', '--max-time', '3', `${agent.running.addresses.http}/events?topics=stats`]
    const { stdout } = await run('curl', args).catch((late) => late)
    expect(stdout).toMatch(/^retry: 1000\n\nid: [0-9a-f]{8}:\d+\n\n/)
    expect(stdout).toMatch(/\nid: [0-9a-f]{8}:\d+\nevent: stats\ndata: \{"service":"door",.*\}\n\n/)
  })

  it('are read by the client of this package as the messages that they were', async () => {
    const client = httpClient({ url: new URL(agent.running.addresses.http) })
    const enough = new AbortController()
    const seen: AgentEvent[] = []
    const kinds = ['state', 'error', 'detections'] as const
    await client.watch({ service: 'door', kinds, signal: enough.signal }, async (event) => {
      if (seen.length === 0) agent.send('door/input/set', { gate: 'gopher://x' })
      seen.push(event)
      if (event.kind === 'error') enough.abort()
    })
    await client.close()
    expect(seen[0]).toMatchObject({ kind: 'state', data: { state: 'running' } })
    expect(seen.at(-1)).toMatchObject({ kind: 'error', data: { code: 'SOURCE_UNSUPPORTED' } })
  })

  it('end when the agent stops, after it said so', async () => {
    const other = await startAgentUnderTest()
    const client = await eventClient(`${other.running.addresses.http}/events`)
    await client.next(on('$state'), 0)
    await other.stop()
    await client.closed
    const states = client.events.items.filter(on('$state')).map(({ data }) => data.payload.state)
    expect(states).toEqual(['ready', 'disconnected'])
  })
})
