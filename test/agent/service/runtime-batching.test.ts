import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import sharp from 'sharp'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { nodeAvEngine } from '../../../agent/media/node-av.ts'
import type { FromService } from '../../../agent/service/messages.ts'
import { ServiceRuntime } from '../../../agent/service/runtime.ts'
import { sourceContext } from '../sources/surroundings.ts'
import { FRAME, pixelModel, samplesOfRun } from './batch-models.ts'

const entry = new URL('../../../dist/agent/service/inference-thread.js', import.meta.url)
const REQUESTS = 3

let folder: string
let picture: string
let runtime: ServiceRuntime
let heard: (message: FromService) => void = () => {}

beforeAll(async () => {
  const background = { r: 200, g: 0, b: 128 }
  const png = await sharp({ create: { width: FRAME, height: FRAME, channels: 3, background } })
    .png()
    .toBuffer()
  picture = `data:image/png;base64,${png.toString('base64')}`
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heliograph-runtime-'))
})
afterEach(async () => {
  await runtime.stop()
  await rm(folder, { recursive: true })
})

async function start(careful: boolean, carefulMs?: number): Promise<void> {
  const batching = { size: REQUESTS, waitMs: 1000 }
  runtime = new ServiceRuntime({
    start: {
      type: 'start',
      service: 'eyes',
      limits: sourceContext({ batching }).limits,
      crashRecord: join(folder, 'crash'),
      careful,
    },
    engine: nodeAvEngine(),
    createThread: (thread) => new Worker(entry, { workerData: { thread } }),
    video: () => undefined,
    post: (message) => heard(message),
    ...(carefulMs === undefined ? {} : { carefulMs }),
  })
  const model = await pixelModel(join(folder, 'model.onnx'), 'open')
  await runtime.handle({ type: 'model/load', model, device: 'cpu', options: {} })
}

/** For each of several requests that came at once, how many shared its run. */
function askAtOnce(): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const found: number[] = []
    heard = (message) => {
      if (message.type === 'once/failed') reject(new Error(message.error.message))
      if (message.type !== 'once/answer') return
      found.push(samplesOfRun(message.answer.result.items))
      if (found.length === REQUESTS) resolve(found)
    }
    for (let request = 0; request < REQUESTS; request++) {
      const once = { request: String(request), spec: { url: picture }, publish: false }
      void runtime.handle({ type: 'once', once })
    }
  })
}

it('lets requests that come at once share a run', async () => {
  await start(false)
  expect(await askAtOnce()).toEqual([3, 3, 3])
})

it('lets none share a run after a crash', async () => {
  await start(true)
  expect(await askAtOnce()).toEqual([1, 1, 1])
})

it('lets them share runs again when the crash no longer counts', async () => {
  await start(true, 0)
  expect(await askAtOnce()).toEqual([3, 3, 3])
})
