import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AgentUnderTest, media, startAgentUnderTest } from './agent-under-test.ts'

let agent: AgentUnderTest

beforeAll(async () => {
  agent = await startAgentUnderTest({ 'outputs.topicPrefixes': '["plant/"]' })
})
afterAll(async () => {
  await agent.stop()
})

const running = (service: string) =>
  agent.next(`${service}/state`, (value) => value?.state === 'running', 0)

/** The `seq` of every result of an input's run that was heard, in order. */
function seqsOf(path: string): number[] {
  const results = agent.heard.filter(({ topic }) => topic === agent.topic(path))
  const run = results.at(-1)?.value.run
  return results.filter(({ value }) => value.run === run).map(({ value }) => value.seq)
}

const withoutHoles = (seqs: readonly number[]): number[] =>
  seqs.map((_, index) => (seqs[0] ?? 0) + index)

describe('an agent and its services, over MQTT', () => {
  it('is ready, and says where it listens', async () => {
    const state = await agent.next('$state', undefined, 0)
    expect(state).toMatchObject({ retained: true, value: { state: 'ready' } })
    const info = await agent.next('$info', undefined, 0)
    expect(info.value).toMatchObject({ contract: 1, addresses: agent.running.broker.addresses })
  })

  it('infers a looped clip: one result per frame, numbered without a hole', async () => {
    const input = { url: media('dog.mp4'), loop: true }
    const reply = await agent.ask('$cmd/service/add', { service: 'clip', input })
    expect(reply).toMatchObject({ status: 'ok', agent: 'lab' })
    await running('clip')
    const { value } = await agent.next('clip/detections/default', ({ seq }) => seq >= 10, 0)
    expect(value.items[0]).toMatchObject({ label: 'dog', classId: 17 })
    expect(value).toMatchObject({ v: 1, kind: 'detections', width: 1280, height: 720 })
    expect(value.publishedAt).toBeGreaterThanOrEqual(value.capturedAt)
    const seqs = seqsOf('clip/detections/default')
    expect(seqs.length).toBeGreaterThan(5)
    expect(seqs).toEqual(withoutHoles(seqs))
  })

  it('adds and removes outputs while results flow on without a hole', async () => {
    const run = (await agent.next('clip/detections/default')).value.run
    await agent.ask('clip/output/set', {
      lines: 'file:seen/{input}.jsonl',
      plant: 'mqtt:plant/{input}',
    })
    const there = await agent.next('plant/default')
    await agent.next('plant/default', ({ seq }) => seq > there.value.seq + 10)
    await agent.ask('clip/output/set', { lines: null, plant: null })
    const after = await agent.next(
      'clip/detections/default',
      ({ seq }) => seq > there.value.seq + 30,
    )
    expect(after.value.run).toBe(run)
    const seqs = seqsOf('clip/detections/default')
    expect(seqs).toEqual(withoutHoles(seqs))
    const file = join(agent.dataFolder, 'media', 'seen', 'default.jsonl')
    const lines = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).seq)
    expect(lines.length).toBeGreaterThan(10)
    expect(lines).toEqual(withoutHoles(lines))
  })

  it('applies options to the next frames, without a reload', async () => {
    const { value } = await agent.next('clip/detections/default')
    const since = agent.heard.length
    await agent.ask('clip/model/set', { options: { minScore: 1 } })
    const empty = await agent.next(
      'clip/detections/default',
      ({ items }) => items.length === 0,
      since,
    )
    expect(empty.value.run).toBe(value.run)
    const model = await agent.next('clip/model', undefined, since)
    expect(model.value).toMatchObject({ options: { minScore: 1 }, state: 'ready', provider: 'cpu' })
    await agent.ask('clip/model/set', { options: { minScore: 0.5 } })
  })

  it('changes one input and leaves the other alone', async () => {
    await agent.ask('clip/input/set', { extra: { url: media('dog.mp4'), loop: true, fps: 5 } })
    const first = await agent.next('clip/detections/extra')
    const other = (await agent.next('clip/detections/default')).value
    await agent.ask('clip/input/set', { extra: { url: media('dog.mp4'), loop: true, fps: 10 } })
    const second = await agent.next('clip/detections/extra', ({ run }) => run !== first.value.run)
    expect(second.value.seq).toBe(0)
    const still = await agent.next('clip/detections/default', ({ seq }) => seq > other.seq + 10)
    expect(still.value.run).toBe(other.run)
    const seqs = seqsOf('clip/detections/default')
    expect(seqs).toEqual(withoutHoles(seqs))
    await agent.ask('clip/input/set', { extra: null })
  })

  it('answers once with the result of a picture, and copies the tag', async () => {
    const reply = await agent.ask('clip/compute', {
      action: 'once',
      input: media('two-dogs.jpg'),
      tag: 'part-4711',
    })
    expect(reply.status).toBe('ok')
    expect(reply.data).toMatchObject({ input: 'once', tag: 'part-4711', width: 1280, height: 960 })
    expect(reply.data.items[0].label).toBe('dog')
  })

  it('publishes the result of a bare once', async () => {
    agent.send('clip/compute', { action: 'once', input: media('dog.jpg'), tag: 'bare' })
    const { value } = await agent.next('clip/detections/once')
    expect(value).toMatchObject({ tag: 'bare', input: 'once' })
  })

  it('runs pictures published to a topic', async () => {
    await agent.ask('$cmd/service/add', { service: 'camera', input: 'mqtt:cam/1' })
    await running('camera')
    const result = agent.next('camera/detections/default')
    agent.client.publish('cam/1', readFileSync(media('dog.jpg')))
    expect((await result).value.items[0].label).toBe('dog')
  })

  it('ends a finite file: an event with its frame count, then idle, and stays so', async () => {
    for (const other of ['clip', 'camera']) await agent.ask(`${other}/compute`, 'stop')
    const since = agent.heard.length
    // Of 368 pictures every third.
    const input = { default: { url: media('dog.mp4'), pace: 'fast', fps: 10 } }
    await agent.ask('$cmd/service/add', { service: 'file', input })
    const ended = await agent.next('file/event/default', undefined, since)
    expect(ended.value).toMatchObject({ type: 'ended', frames: 123, failed: 0 })
    await agent.next('file/state', (value) => value?.state === 'idle', since)
    const seqs = seqsOf('file/detections/default')
    expect(seqs).toEqual(Array.from({ length: 123 }, (_, index) => index))
    const { value } = await agent.next('file/stats')
    expect(value.inputs.default.alive).toBe(0)
    await agent.ask('clip/compute', 'start')
  }, 60_000)

  it('clears the topics of a service that is removed', async () => {
    const since = agent.heard.length
    await agent.ask('$cmd/service/remove', { service: 'file' })
    for (const path of ['state', 'input', 'output', 'model']) {
      expect(
        (await agent.next(`file/${path}`, (value) => value === undefined, since)).value,
      ).toBeUndefined()
    }
  })
})

describe('mistakes are answered where the caller is looking', () => {
  it.each([
    ['a service that is not there', 'nope/compute', 'start', 'NOT_FOUND'],
    ['a command that is not there', '$cmd/nope', {}, 'NOT_FOUND'],
    ['an unknown scheme', 'clip/input/set', 'gopher://x', 'SOURCE_UNSUPPORTED'],
    ['an output that is not written to', 'clip/output/set', { a: 'tape:1' }, 'SINK_UNSUPPORTED'],
    ['an unknown model', 'clip/model/set', 'no-such-model', 'MODEL_UNKNOWN'],
    ['a wrong option', 'clip/model/set', { options: { minScore: 'high' } }, 'MESSAGE_INVALID'],
    [
      'a file outside the roots',
      'clip/compute',
      { action: 'once', input: '/etc/passwd' },
      'SOURCE_FORBIDDEN',
    ],
  ])('refuses %s', async (_name, path, args, code) => {
    const reply = await agent.ask(path, args)
    expect(reply).toMatchObject({ status: 'error', code })
    expect(reply.message.length).toBeGreaterThan(10)
  })

  it('puts the error of a bare message on the error topic', async () => {
    const since = agent.heard.length
    agent.send('clip/input/set', '{"gate":')
    const { value } = await agent.next('clip/error', undefined, since)
    expect(value).toMatchObject({ code: 'MESSAGE_INVALID', topic: agent.topic('clip/input/set') })
  })

  it('refuses a retained command, raises an alert, and does not carry it out', async () => {
    const since = agent.heard.length
    agent.client.publish(agent.topic('clip/compute'), 'stop', { qos: 1, retain: true })
    expect((await agent.next('clip/error', undefined, since)).value.code).toBe('NOT_AUTHORIZED')
    await agent.next('$alert/retained-command', undefined, since)
    await agent.next('clip/detections/default')
  })

  it('refuses what only the agent may publish', async () => {
    const since = agent.heard.length
    agent.client.publish(agent.topic('clip/state'), '{"state":"failed"}', { qos: 1, retain: true })
    expect((await agent.next('clip/error', undefined, since)).value.code).toBe('NOT_AUTHORIZED')
    const forged = agent.heard.slice(since).some(({ topic }) => topic === agent.topic('clip/state'))
    expect(forged).toBe(false)
  })
})
