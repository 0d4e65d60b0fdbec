import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nodeAvEngine } from '../../../agent/media/node-av.ts'
import { readCrashRecord } from '../../../agent/service/crash-record.ts'
import type { FromService } from '../../../agent/service/messages.ts'
import { ServiceRuntime } from '../../../agent/service/runtime.ts'
import { smallPicture, sourceContext } from '../sources/surroundings.ts'
import { pixelModel } from './batch-models.ts'

const entry = new URL('../../../dist/agent/service/inference-thread.js', import.meta.url)
/** A camera whose third picture comes after 400 ms. */
const camera = 'synthetic:?width=640&height=640&fps=5&live=1'

let folder: string
let runtime: ServiceRuntime
let heard: ((message: FromService) => void)[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heliograph-opening-'))
  heard = []
})
afterEach(async () => {
  await runtime.stop()
  await rm(folder, { recursive: true })
})

async function start(careful: boolean): Promise<void> {
  runtime = new ServiceRuntime({
    start: {
      type: 'start',
      service: 'eyes',
      limits: sourceContext({ faults: true }).limits,
      crashRecord: join(folder, 'crash'),
      careful,
    },
    engine: nodeAvEngine(),
    createThread: (thread) => new Worker(entry, { workerData: { thread } }),
    video: () => undefined,
    post: (message) => {
      for (const hear of heard) hear(message)
    },
  })
  const model = await pixelModel(join(folder, 'model.onnx'), 'open')
  await runtime.handle({ type: 'model/load', model, device: 'cpu', options: {} })
}

const open = (id: string, url: string): Promise<void> =>
  runtime.handle({ type: 'input/open', id, spec: { url } })

/** At the first message that passes: whether the crash record says that `id` is being opened. */
function isOpening(id: string, passes: (message: FromService) => boolean): Promise<boolean> {
  return new Promise((resolve) => {
    heard.push((message) => {
      if (!passes(message)) return
      const busy = readCrashRecord(join(folder, 'crash'))
      resolve(busy.get(id)?.includes('open') ?? false)
    })
  })
}

const isLive =
  (id: string) =>
  (message: FromService): boolean =>
    message.type === 'input' && message.report.id === id && message.report.state === 'live'

describe.each([
  ['after a crash', true],
  ['else', false],
] as const)('%s', (_when, careful) => {
  it(`an input opens ${careful ? 'after' : 'before'} the one before it has proven itself`, async () => {
    await start(careful)
    const first = isOpening('first', isLive('second'))
    void open('first', camera)
    void open('second', camera)
    expect(await first).toBe(!careful)
  })

  it(`a request is worked on ${careful ? 'after' : 'before'} an input has proven itself`, async () => {
    await start(careful)
    const url = `data:image/jpeg;base64,${(await smallPicture()).toString('base64')}`
    const first = isOpening('first', ({ type }) => type === 'once/answer')
    await open('first', camera)
    void runtime.handle({ type: 'once', once: { request: 'a', spec: { url }, publish: false } })
    expect(await first).toBe(!careful)
  })
})

it.each([
  ['ends', 'synthetic:?width=64&height=48&frames=1'],
  ['breaks off', 'synthetic:?width=64&height=48&error=0'],
])('after a crash the next input opens when one %s that has not proven itself', async (_, url) => {
  await start(true)
  const begun = performance.now()
  const live = isOpening('first', isLive('second'))
  void open('first', url)
  void open('second', camera)
  await live
  expect(performance.now() - begun).toBeLessThan(5000)
})

it('after a crash an input that gives nothing can be closed at once, and the next one opens', async () => {
  await start(true)
  const begun = performance.now()
  const live = isOpening('silent', isLive('second'))
  void open('silent', 'mqtt:yard/picture')
  void open('second', camera)
  await runtime.handle({ type: 'input/close', id: 'silent' })
  expect(await live).toBe(false)
  expect(performance.now() - begun).toBeLessThan(5000)
})
