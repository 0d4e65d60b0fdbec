import { createReadStream } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import {
  type AgentClient,
  type AgentEvent,
  type EventKind,
  eventKinds,
  type Upload,
} from '../../agent/client/agent-client.ts'
import { openClient } from '../../agent/client/open-client.ts'
import type { RunningAgent } from '../../agent/main.ts'
import { DEFAULT_MODEL } from '../../agent/store/catalog.ts'
import { type AgentUnderTest, media, startAgentUnderTest } from '../e2e/agent-under-test.ts'

/** One door of an agent. */
export interface Door {
  readonly name: string
  url(agent: RunningAgent): string
}

/** Holds a client to what every client must do, against a real agent. */
export function conformsToAgentClient({ name, url }: Door): void {
  describe(`a client over ${name}`, { timeout: 60_000 }, () => {
    let agent: AgentUnderTest
    let client: AgentClient
    const noticed: string[] = []

    beforeAll(async () => {
      agent = await startAgentUnderTest({
        'services.first.input': JSON.stringify({ clip: { url: media('dog.mp4'), loop: true } }),
        'services.first.compute': 'stop',
      })
      client = await openClient({
        url: new URL(url(agent.running)),
        notice: (text) => noticed.push(text),
      })
    })
    afterAll(async () => {
      await client.close()
      await agent.stop()
    })

    it('tells that the agent answers, and which start this is', async () => {
      const before = Date.now()
      const { boot, at } = await client.ping()
      expect(boot).toBe((await client.ping()).boot)
      expect(at).toBeGreaterThanOrEqual(before - 1)
    })

    it('shows the agent, its services and models', async () => {
      expect(await client.info()).toMatchObject({ agent: 'lab', services: ['first'] })
      const [view, ...others] = await client.services()
      expect(others).toEqual([])
      expect(view).toMatchObject({
        service: 'first',
        compute: 'stop',
        state: { state: 'idle' },
        input: { clip: { loop: true, state: 'closed' } },
        output: { events: { url: 'mqtt:' } },
        model: { id: DEFAULT_MODEL },
        streams: {},
      })
      expect(await client.models()).toContainEqual(
        expect.objectContaining({ id: DEFAULT_MODEL, state: 'ready' }),
      )
    })

    it('means the only service where none is named', async () => {
      expect((await client.service()).value.service).toBe('first')
      expect((await client.get('model')).value.id).toBe(DEFAULT_MODEL)
    })

    it('refuses a service that is not there, naming those that are', async () => {
      const whom = { service: 'nope' }
      for (const refused of [client.get('input', whom), client.service(whom)]) {
        await expect(refused).rejects.toMatchObject({
          code: 'NOT_FOUND',
          message: expect.stringContaining('first'),
        })
      }
    })

    it('changes single inputs, replaces all, and shows what is there then', async () => {
      const service = await added('inputs')
      const merged = { west: 'synthetic:', east: { url: 'mqtt:cam/east', fps: 2 } }
      expect(Object.keys((await client.set('input', merged, { service })).value)).toEqual([
        'west',
        'east',
      ])
      const removed = (await client.set('input', { west: null }, { service })).value
      expect(removed).toMatchObject({ east: { url: 'mqtt:cam/east', fps: 2, state: 'closed' } })
      expect(Object.keys(removed)).toEqual(['east'])
      const change = { service, replace: true }
      expect(
        Object.keys((await client.set('input', { north: 'synthetic:' }, change)).value),
      ).toEqual(['north'])
      expect(Object.keys((await client.set('input', 'synthetic:', { service })).value)).toEqual([
        'default',
      ])
      expect((await client.get('input', { service })).value).toMatchObject({
        default: { url: 'synthetic:' },
      })
    })

    it('changes outputs and hides the passwords in their URLs', async () => {
      const service = await added('outputs')
      const tape = { url: 'mqtts://me:secret@broker.example/x' }
      const { value } = await client.set('output', { tape }, { service })
      expect(Object.keys(value)).toEqual(['events', 'video', 'tape'])
      expect(value.tape?.url).toBe('mqtts://me:***@broker.example/x')
      const only = await client.set('output', { mail: 'mqtt:' }, { service, replace: true })
      expect(Object.keys(only.value)).toEqual(['mail'])
    })

    it('changes options of the model', async () => {
      const service = await added('options')
      const change = { options: { minScore: 0.7 } }
      expect((await client.set('model', change, { service })).value).toMatchObject({
        id: DEFAULT_MODEL,
        options: { minScore: 0.7 },
      })
    })

    it('hands on what the agent refuses, with its code', async () => {
      const wrong = { gate: { url: 'synthetic:', fps: -1 } }
      await expect(client.set('input', wrong)).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
      await expect(client.set('input', 'gopher://x')).rejects.toMatchObject({
        code: 'SOURCE_UNSUPPORTED',
      })
      await expect(client.set('model', 'nope')).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' })
      await expect(client.pull('nope')).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' })
    })

    it('tells which fields were ignored', async () => {
      const service = await added('ignored')
      noticed.length = 0
      await client.set('input', { gate: { url: 'synthetic:', colour: 'red' } }, { service })
      expect(noticed).toEqual([expect.stringContaining('/gate/colour')])
    })

    it('infers once, a picture or a whole clip, in order', async () => {
      const picture = await client.compute({
        action: 'once',
        input: media('dog.jpg'),
        tag: 'part-4711',
      })
      expect(picture.results).toMatchObject([{ tag: 'part-4711', input: 'once' }])
      expect(picture.results?.[0]?.items[0]?.label).toBe('dog')
      const file = { url: media('dog.mp4'), fps: 2 }
      const clip = await client.compute({ action: 'once', input: file })
      const numbers = clip.results?.map(({ seq }) => seq) ?? []
      expect(numbers.length).toBeGreaterThan(5)
      expect(numbers).toEqual(numbers.map((_, at) => at))
    })

    it('adds a service, refuses a second of its name, and removes it', async () => {
      const view = await client.addService({
        service: 'door',
        compute: 'stop',
        input: 'synthetic:',
      })
      expect(view).toMatchObject({ service: 'door', input: { default: { url: 'synthetic:' } } })
      await expect(client.get('model')).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringMatching(/first.*door/),
      })
      await expect(client.addService({ service: 'door' })).rejects.toMatchObject({
        code: 'CONFLICT',
      })
      await client.removeService('door')
      expect((await client.services()).map(({ service }) => service)).toEqual(['first'])
      await expect(client.removeService('door')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    it('has a model made ready', async () => {
      expect(await client.pull(DEFAULT_MODEL)).toMatchObject({
        model: DEFAULT_MODEL,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      })
    })

    it('watches what a service publishes, from its start to its stop', async () => {
      const service = await added('watched', { clip: { url: media('dog.mp4'), loop: true } })
      const enough = new AbortController()
      const seen: AgentEvent[] = []
      const kindsSeen = () => new Set(seen.map(({ kind }) => kind))
      const wanted: readonly EventKind[] = ['detections', 'state', 'stats', 'input']
      const watching = client.watch(
        { service, kinds: eventKinds, signal: enough.signal },
        async (event) => {
          if (seen.length === 0) void client.compute({ action: 'start' }, { service })
          seen.push(event)
          if (wanted.every((kind) => kindsSeen().has(kind))) enough.abort()
        },
      )
      await watching
      await client.compute({ action: 'stop' }, { service })
      expect(seen.every((event) => event.service === 'watched')).toBe(true)
      const detections = seen.filter(({ kind }) => kind === 'detections')
      expect(detections[0]?.data).toMatchObject({ kind: 'detections', input: 'clip' })
      const states = seen.filter(({ kind }) => kind === 'state')
      expect(states.map(({ data }) => (data as { state: string }).state)).toContain('running')
    })

    it('watches only the kinds and the input that are asked for', async () => {
      const inputs = { one: 'synthetic:?fps=20', two: 'synthetic:?fps=20' }
      const service = await added('chosen', inputs)
      await client.compute({ action: 'start' }, { service })
      const enough = new AbortController()
      const seen: AgentEvent[] = []
      await client.watch(
        { service, kinds: ['detections'], input: 'two', signal: enough.signal },
        async (event) => {
          seen.push(event)
          if (seen.length === 5) enough.abort()
        },
      )
      expect(seen.map(({ kind }) => kind)).toEqual(Array(seen.length).fill('detections'))
      expect(seen.map(({ data }) => (data as { input: string }).input)).toEqual(
        Array(seen.length).fill('two'),
      )
    })

    it('sends pictures and gets what is in them, in order', async () => {
      const labels: (readonly string[])[] = []
      const tags: unknown[] = []
      for await (const { tag, items } of client.infer([upload('dog.jpg'), upload('street.jpg')])) {
        tags.push(tag)
        labels.push(items.map(({ label }) => label))
      }
      expect(tags).toEqual(['dog.jpg', 'street.jpg'])
      expect(labels[0]).toContain('dog')
      expect(labels[1]).toContain('car')
    })

    /** A stopped service of a test's own. */
    async function added(service: string, input: object = {}): Promise<string> {
      await client.addService({ service, compute: 'stop', input: input as Record<string, string> })
      onTestFinished(() => client.removeService(service))
      return service
    }
  })
}

/** A picture of the package, to be sent. */
export function upload(name: string): Upload {
  return { name, open: () => createReadStream(media(name)) }
}
