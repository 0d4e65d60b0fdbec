import { openSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Prepared } from '../../../agent/core/stages.ts'
import { PRIORITY_LANE } from '../../../agent/pipeline/fair-queue.ts'
import { type Batching, batchLimit } from '../../../agent/service/batching.ts'
import { type CrashRecord, crashRecord } from '../../../agent/service/crash-record.ts'
import { InferenceHost } from '../../../agent/service/inference-host.ts'
import type { ResolvedModel } from '../../../schemas/manifest.ts'
import { type Axis, pixel, pixelModel, samplesOfRun } from './batch-models.ts'

const entry = new URL('../../../dist/agent/service/inference-thread.js', import.meta.url)
/** A batch that is not full waits for so long that no test would end if it did. */
const FOR_EVER = 100_000

let folder: string
let record: CrashRecord
let host: InferenceHost
let close = async () => {}
const models = new Map<Axis, ResolvedModel>()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heliograph-batching-'))
  record = crashRecord(join(folder, 'crash'))
  for (const axis of ['open', 'fixed', 'two'] as const) {
    models.set(axis, await pixelModel(join(folder, `${axis}.onnx`), axis))
  }
})
afterEach(() => close())
afterAll(async () => {
  await rm(folder, { recursive: true })
})

async function start(batching: Batching, axis: Axis = 'open', threads = 1): Promise<void> {
  host = new InferenceHost(
    Array.from({ length: threads }, (_, thread) => new Worker(entry, { workerData: { thread } })),
    batching,
  )
  close = once(() => host.close())
  await load(axis)
}

/** A thread ends only once. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}

async function load(axis: Axis): Promise<void> {
  const model = models.get(axis)
  if (!model) throw new Error(`no model ${axis}`)
  const session = { device: 'cpu', threads: 1 } as const
  await host.load({ model, session, options: {}, place: record.place('$model') })
}

/** What became of a sample: its score, and how many shared its run; or its error's code. */
async function infer(sample: Prepared, lane = 'a', place = record.place(lane)) {
  try {
    const seen = await host.run(lane, await host.current(), sample, place)
    if (seen.stale) return ['stale', 0]
    return [seen.items[0]?.score, samplesOfRun(seen.items)]
  } catch (error) {
    return (error as { code?: string }).code
  }
}

/** Samples that come at once: the thread takes the first two, one by one, before more wait. */
const inferAll = (scores: readonly number[], lane = 'a') =>
  Promise.all(scores.map((score) => infer(pixel(score), lane)))
const scores = (count: number) => Array.from({ length: count }, (_, i) => (i + 1) / 100)
const runs = (found: readonly unknown[]) => found.map((one) => (one as number[])[1])

describe('samples that wait for the same model', () => {
  beforeEach(() => start({ size: 4, waitMs: 0 }))

  it('share runs, and each gets its own result', async () => {
    const found = await inferAll(scores(12))
    expect(found.map((one) => (one as number[])[0])).toEqual(scores(12))
    expect(runs(found)).toEqual([1, 1, 4, 4, 4, 4, 4, 4, 4, 4, 2, 2])
  })

  it('run at once where none waits', async () => {
    expect(await inferAll([0.5])).toEqual([[0.5, 1]])
    expect(await inferAll([0.6])).toEqual([[0.6, 1]])
  })

  it('share runs fairly: a lane with many does not keep out one with few', async () => {
    const [many, few] = await Promise.all([inferAll(scores(8), 'a'), inferAll(scores(2), 'b')])
    expect(runs(many)).toEqual([1, 1, 4, 4, 4, 4, 4, 4])
    expect(runs(few)).toEqual([4, 4])
    const order: string[] = []
    const noted = (lane: string, count: number) =>
      scores(count).map((score) => infer(pixel(score), lane).then(() => order.push(lane)))
    await Promise.all([...noted('a', 8), ...noted('b', 2)])
    expect(order.join('')).toBe('aaababaaaa')
  })

  it('go first when somebody waits for them', async () => {
    const order: string[] = []
    const noted = (lane: string, count: number) =>
      scores(count).map((score) => infer(pixel(score), lane).then(() => order.push(lane)))
    await Promise.all([...noted('a', 6), ...noted(PRIORITY_LANE, 2)])
    expect(order).toEqual(['a', 'a', PRIORITY_LANE, PRIORITY_LANE, 'a', 'a', 'a', 'a'])
  })

  it('lets a bad one fail alone', async () => {
    const found = await Promise.all([
      ...scores(3).map((score) => infer(pixel(score))),
      infer(pixel(0.9, { bad: true })),
      ...scores(2).map((score) => infer(pixel(score))),
    ])
    const alone = 1
    expect(found).toEqual([
      [0.01, alone],
      [0.02, alone],
      [0.03, alone],
      'INFERENCE_FAILED',
      [0.01, alone],
      [0.02, alone],
    ])
    expect(runs(await inferAll(scores(6)))).toEqual([1, 1, 4, 4, 4, 4])
  })

  it('are prepared anew when another model was loaded meanwhile', async () => {
    const [first, ...others] = scores(8).map((score) => infer(pixel(score)))
    expect(await first).toEqual([0.01, 1])
    await load('fixed')
    const sizes = (await Promise.all(others)).map((one) => one?.[1])
    expect(sizes).toEqual([1, 4, 4, 4, 4, 0, 0])
    expect(runs(await inferAll(scores(6)))).toEqual([1, 1, 1, 1, 1, 1])
  })

  it('are refused, all of them, when the service stops', async () => {
    const found = inferAll(scores(7))
    await Promise.resolve()
    await close()
    expect((await found).slice(2)).toEqual(Array(5).fill('CONFLICT'))
  })

  it('are noted, all of them, while native code works on them', async () => {
    const file = join(folder, 'notes')
    // Appending, so that each note follows the one before it.
    const place = { fd: openSync(file, 'a'), slot: 0 }
    await Promise.all(scores(5).map((score) => infer(pixel(score), 'a', place)))
    expect([...readFileSync(file)]).toEqual([1, 0, 1, 0, 1, 1, 1, 0, 0, 0])
  })
})

describe('a model', () => {
  it('whose first axis is fixed runs one sample at a time', async () => {
    await start({ size: 4, waitMs: FOR_EVER }, 'fixed')
    expect(runs(await inferAll(scores(6)))).toEqual([1, 1, 1, 1, 1, 1])
  })

  it('that can run fewer samples than it was given gets smaller batches from then on', async () => {
    await start({ size: 4, waitMs: 0 }, 'two')
    expect(runs(await inferAll(scores(6)))).toEqual([1, 1, 1, 1, 1, 1])
    expect(runs(await inferAll(scores(6)))).toEqual([1, 1, 2, 2, 2, 2])
  })

  it('runs one sample at a time on the processor unless more were asked for', async () => {
    await start({ size: 0, waitMs: FOR_EVER })
    expect(runs(await inferAll(scores(6)))).toEqual([1, 1, 1, 1, 1, 1])
  })

  it('is given batches by default on GPUs that take any number alike', () => {
    const sizes = ['cpu', 'tensorrt', 'cuda', 'webgpu'].map((provider) =>
      batchLimit({ size: 0, waitMs: 0 }, { provider, hasBatchAxis: true }),
    )
    expect(sizes).toEqual([1, 1, 4, 4])
    expect(batchLimit({ size: 0, waitMs: 0 }, { provider: 'cuda', hasBatchAxis: false })).toBe(1)
  })
})

describe('a run', () => {
  it('waits for as many samples as may share it', async () => {
    await start({ size: 3, waitMs: FOR_EVER })
    expect(runs(await inferAll(scores(6)))).toEqual([3, 3, 3, 3, 3, 3])
  })

  it('waits no longer than it may', async () => {
    await start({ size: 3, waitMs: 30 })
    const asked = performance.now()
    expect(runs(await inferAll(scores(2)))).toEqual([2, 2])
    expect(performance.now() - asked).toBeGreaterThan(28)
  })

  it('has one sample for as long as a crash must have one suspect', async () => {
    await start({ size: 3, waitMs: 0 })
    host.inferAlone(FOR_EVER)
    expect(runs(await inferAll(scores(5)))).toEqual([1, 1, 1, 1, 1])
  })

  it('leaves samples to the other threads', async () => {
    await start({ size: 8, waitMs: FOR_EVER }, 'open', 2)
    expect(runs(await inferAll(scores(8)))).toEqual([4, 4, 4, 4, 4, 4, 4, 4])
  })
})

describe('the age of a run', () => {
  /** Loads anything, ends the runs of one sample, and none of several. */
  const hanging = `
  const { parentPort } = require('node:worker_threads')
  parentPort.on('message', ({ type, run, samples }) => {
    if (type === 'close') return parentPort.close()
    if (type === 'load') parentPort.postMessage({ type: 'loaded', provider: 'cpu', hasBatchAxis: true })
    if (samples?.length === 1) parentPort.postMessage({ type: 'done', run, answers: [{ items: [], postprocessMs: 0 }], inferMs: 0 })
  })`

  it('is counted for each of its samples, since each takes its time', async () => {
    host = new InferenceHost([new Worker(hanging, { eval: true })], { size: 4, waitMs: 0 })
    close = once(() => host.close())
    await load('open')
    const found = scores(6).map((score) => infer(pixel(score)))
    await Promise.all(found.slice(0, 2))
    const handedOver = performance.now()
    expect(host.inFlightMs(handedOver + 40_000)).toBeGreaterThanOrEqual(10_000)
    expect(host.inFlightMs(handedOver + 40_000)).toBeLessThan(11_000)
  })
})
