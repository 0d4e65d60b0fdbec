import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onnxBackend } from '../../../agent/backends/onnx.ts'
import type { Session } from '../../../agent/core/stages.ts'
import { createModel, optionsFor } from '../../../agent/models/registry.ts'
import { coco90Labels } from '../../../agent/store/coco-labels.ts'
import type { ModelOptions } from '../../../schemas/control.ts'
import { manifestOf, stretchedBytes } from './manifests.ts'
import { matches, oracle, photo } from './photos.ts'

/** YOLOX-Nano (Megvii, Apache-2.0) lies beside the repository where it lies at all. */
const file = fileURLToPath(new URL('../../../../shared/models/yolox_nano.onnx', import.meta.url))
const present = existsSync(file)
if (!present) process.stdout.write(`yolox_nano.onnx is not at ${file}: its photos are not tested\n`)

const manifest = manifestOf({
  family: 'yolox',
  input: {
    ...stretchedBytes,
    name: 'images',
    width: 416,
    height: 416,
    dtype: 'float32',
    layout: 'nchw',
    colour: 'bgr',
    fit: 'letterbox',
    pad: 114,
  },
  outputs: { output: 'output' },
  labels: coco90Labels.filter((label) => label !== null),
  thresholds: { minScore: 0.3, iouThreshold: 0.45, maxItems: 100 },
})

describe.skipIf(!present)('YOLOX-Nano', () => {
  let session: Session
  beforeAll(async () => {
    session = await onnxBackend.load(file, { device: 'cpu', threads: 1 })
  })
  afterAll(() => session?.close())

  async function detect(name: string, options: ModelOptions = {}) {
    const model = createModel(manifest)
    const pool = { lend: (bytes: number) => new SharedArrayBuffer(bytes) }
    const { inputs, meta } = await model.preprocess(await photo(name), pool)
    return model.postprocess(await session.run(inputs), meta, optionsFor(manifest, options))
  }

  it('finds both dogs where another network finds two animals', async () => {
    const animals = oracle('two-dogs.jpg').items.map((item) => ({ ...item, label: 'dog' }))
    expect(animals).toHaveLength(2)
    const found = await detect('two-dogs.jpg')
    expect(found.map(({ label }) => label)).toEqual(['dog', 'dog'])
    for (const { iou } of matches(animals, found)) expect(iou).toBeGreaterThan(0.8)
  })

  it('finds cars in the street', async () => {
    const found = await detect('street.jpg', { minScore: 0.25 })
    const cars = found.filter(({ label }) => label === 'car')
    expect(cars.length).toBeGreaterThan(3)
  })
})
