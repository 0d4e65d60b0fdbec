import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as passed } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { MediaEngine } from '../../../agent/media/engine.ts'
import { nodeAvEngine } from '../../../agent/media/node-av.ts'
import type { FromService, OutputReport } from '../../../agent/service/messages.ts'
import { ServiceRuntime } from '../../../agent/service/runtime.ts'
import { sourceContext } from '../sources/surroundings.ts'
import { pixelModel } from './batch-models.ts'

const entry = new URL('../../../dist/agent/service/inference-thread.js', import.meta.url)
/** Of pictures, at 20 a second. */
const COUNT = 20
/** Of a picture: 5 a second. */
const ENCODING_MS = 200

let folder: string
let runtime: ServiceRuntime
let messages: FromService[]

/** The real engine, on a machine that encodes slowly. */
function slowEngine(): MediaEngine {
  const real = nodeAvEngine()
  return {
    ...real,
    async encode(options) {
      const encoder = await real.encode(options)
      return {
        name: encoder.name,
        picture: encoder.picture,
        async encode(pts, key) {
          await passed(ENCODING_MS)
          return await encoder.encode(pts, key)
        },
        close: () => encoder.close(),
      }
    },
  }
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heliograph-runtime-'))
  messages = []
  const { limits } = sourceContext()
  runtime = new ServiceRuntime({
    start: {
      type: 'start',
      service: 'eyes',
      limits: { ...limits, mediaFolder: folder, minFreeBytes: 0 },
      crashRecord: join(folder, 'crash'),
      careful: false,
    },
    engine: slowEngine(),
    createThread: (thread) => new Worker(entry, { workerData: { thread } }),
    video: () => undefined,
    post: (message) => messages.push(message),
  })
  const model = await pixelModel(join(folder, 'model.onnx'), 'open')
  await runtime.handle({ type: 'model/load', model, device: 'cpu', options: {} })
})
afterEach(async () => {
  await runtime.stop()
  await rm(folder, { recursive: true })
})

/** Has an input of `COUNT` pictures recorded; gives how long that took, ms, and what became of the results. */
async function recorded(live: 0 | 1) {
  await runtime.handle({ type: 'output/open', id: 'events', spec: { url: 'mqtt:' } })
  await runtime.handle({ type: 'output/open', id: 'film', spec: { url: 'file:film.mp4' } })
  const url = `synthetic:?width=64&height=64&fps=20&frames=${COUNT}&live=${live}`
  const startedAt = performance.now()
  await runtime.handle({ type: 'input/open', id: 'gate', spec: { url, pace: 'realtime' } })
  const ended = () => messages.some(({ type }) => type === 'input/event')
  await expect.poll(ended, { timeout: 20_000 }).toBe(true)
  const tookMs = performance.now() - startedAt
  const last = (): OutputReport | undefined => {
    runtime.tickOutputs()
    const reports = messages.flatMap((message) => (message.type === 'output' ? message.report : []))
    return reports.findLast(({ id }) => id === 'film')
  }
  const events = (): number => messages.filter(({ type }) => type === 'event').length
  const settled = () => (last()?.written ?? 0) + (last()?.dropped ?? 0) - events()
  await expect.poll(settled, { timeout: 10_000 }).toBe(0)
  return { tookMs, events: events(), film: last() }
}

it('reads a recording as fast as it can be recorded, and records all of it', async () => {
  const { tookMs, events, film } = await recorded(0)
  expect(events).toBe(COUNT)
  expect(film).toMatchObject({ written: COUNT, dropped: 0 })
  expect(tookMs).toBeGreaterThan((COUNT - 8) * ENCODING_MS)
}, 30_000)

it('lets what is live go on, for other outputs, while one is slow, which drops what it has no place for', async () => {
  const { events, film } = await recorded(1)
  // A busy machine may read fewer than there were.
  expect(events).toBeGreaterThan(COUNT / 2)
  expect(film?.written).toBeLessThan(events)
  expect(film?.dropped).toBeGreaterThan(0)
}, 30_000)
