import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onnxBackend } from '../../../agent/backends/onnx.ts'
import type { Session } from '../../../agent/core/stages.ts'
import { createModel, optionsFor } from '../../../agent/models/registry.ts'
import type { ResolvedModel } from '../../../schemas/manifest.ts'
import { defaultModel } from '../../model-cache.ts'
import { matches, oracle, photo } from './photos.ts'

let resolved: ResolvedModel
let session: Session

beforeAll(async () => {
  resolved = await defaultModel()
  session = await onnxBackend.load(resolved.file, { device: 'cpu', threads: 1 })
}, 180_000)
afterAll(() => session?.close())

async function detect(name: string) {
  const model = createModel(resolved.manifest)
  const pool = { lend: (bytes: number) => new SharedArrayBuffer(bytes) }
  const { inputs, meta } = await model.preprocess(await photo(name), pool)
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
    const found = await detect(name)
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
})
