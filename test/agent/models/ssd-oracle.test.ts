import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onnxBackend } from '../../../agent/backends/onnx.ts'
import type { Sample, Session } from '../../../agent/core/stages.ts'
import { nodeAvEngine } from '../../../agent/media/node-av.ts'
import { createModel, optionsFor } from '../../../agent/models/registry.ts'
import type { ResolvedModel } from '../../../schemas/manifest.ts'
import { media } from '../../e2e/agent-under-test.ts'
import { defaultModel } from '../../model-cache.ts'
import { matches, oracle, photo } from './photos.ts'

let resolved: ResolvedModel
let session: Session

beforeAll(async () => {
  resolved = await defaultModel()
  session = await onnxBackend.load(resolved.file, { device: 'cpu', threads: 1 })
}, 180_000)
afterAll(() => session?.close())

async function detect(sample: Sample) {
  const model = createModel(resolved.manifest)
  const pool = { lend: (bytes: number) => new SharedArrayBuffer(bytes) }
  const { inputs, meta } = await model.preprocess(sample, pool)
  return model.postprocess(await session.run(inputs), meta, optionsFor(resolved.manifest))
}

describe('the default model', () => {
  it.each([
    ['dog.jpg', 1],
    ['two-dogs.jpg', 2],
    ['street.jpg', 14],
  ])('sees in %s what its original graph sees', async (name, count) => {
    const expected = oracle(name).items
    expect(expected).toHaveLength(count)
    const found = await detect(await photo(name))
    expect(found.map(({ label }) => label).toSorted()).toEqual(
      expected.map(({ label }) => label).toSorted(),
    )
    const pairs = matches(expected, found)
    expect(pairs.filter(({ iou }) => iou < 0.95)).toEqual([])
    expect(pairs.filter(({ scoreError }) => scoreError > 0.02)).toEqual([])
    expect(found.map(({ classId }) => resolved.manifest.labels[classId])).toEqual(
      found.map(({ label }) => label),
    )
  })
  it('sees in frames of a video what its original graph sees', async () => {
    const wanted = [0, 30, 60, 90]
    for (const [index, sample] of await clipFrames(wanted)) {
      const expected = oracle(`dog.mp4-${index}`).items
      const pairs = matches(expected, await detect(sample))
      sample.frame.release()
      expect(expected.length).toBeGreaterThan(0)
      expect(pairs).toHaveLength(expected.length)
      expect(pairs.filter(({ iou }) => iou < 0.95)).toEqual([])
    }
  })
})

/** Some frames of the clip, as a service decodes them. */
async function clipFrames(wanted: readonly number[]): Promise<(readonly [number, Sample])[]> {
  const options = { signal: new AbortController().signal, threads: 1, maxPixels: 1e7 } as const
  const path = media('dog.mp4')
  const reader = await nodeAvEngine().open({ kind: 'file', path }, { ...options, decode: 'all' })
  const found: (readonly [number, Sample])[] = []
  for (let index = 0; index <= Math.max(...wanted); index++) {
    const next = await reader.next()
    if (!next) break
    if (!wanted.includes(index)) next.frame.release()
    else found.push([index, { kind: 'picture', frame: next.frame, capturedAt: 0, decodeMs: 0 }])
  }
  await reader.close()
  return found
}
