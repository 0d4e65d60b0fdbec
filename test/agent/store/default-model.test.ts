import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import onnxProto from 'onnx-proto'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onnxBackend } from '../../../agent/backends/onnx.ts'
import type { Session, Tensors } from '../../../agent/core/stages.ts'
import { withBatchAxis } from '../../../agent/store/batch-axis.ts'
import { catalog } from '../../../agent/store/catalog.ts'
import { convertGraph } from '../../../agent/store/convert.ts'
import { archiveFiles } from '../../../agent/store/providers/archive.ts'
import { CONVERTER_VERSION } from '../../../agent/store/tfjs/version.ts'
import { defaultModel, defaultPackage } from '../../model-cache.ts'
import { type OracleFixture, sampleEvery } from '../../oracle/fixture.ts'

const fixtures = new URL('../../fixtures/oracle/', import.meta.url)
const media = new URL('../../../examples/media/', import.meta.url)
const SIDE = 300

const stills = readdirSync(fixtures)
  .filter((name) => name.endsWith('.jpg.json'))
  .map((name): OracleFixture => JSON.parse(readFileSync(new URL(name, fixtures), 'utf8')))

/** The graph's own resize: bilinear, legacy (output pixel i samples at i × inputSide / 300), not rounded. */
async function resized({ source }: OracleFixture): Promise<Float32Array> {
  const { data, info } = await sharp(new URL(source.file, media).pathname)
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const pixel = (x: number, y: number, channel: number) =>
    data[(Math.min(y, info.height - 1) * info.width + Math.min(x, info.width - 1)) * 3 + channel] ??
    0
  const picture = new Float32Array(SIDE * SIDE * 3)
  for (let index = 0; index < picture.length; index++) {
    const channel = index % 3
    const x = ((Math.floor(index / 3) % SIDE) * info.width) / SIDE
    const y = (Math.floor(index / 3 / SIDE) * info.height) / SIDE
    const [left, top] = [Math.floor(x), Math.floor(y)]
    const row = (at: number) =>
      pixel(left, at, channel) * (1 - (x - left)) + pixel(left + 1, at, channel) * (x - left)
    picture[index] = row(top) * (1 - (y - top)) + row(top + 1) * (y - top)
  }
  return picture
}

/** The same model, but fed floats: only the declared type of its input differs. */
function fedFloats(model: Uint8Array): Uint8Array {
  const { ModelProto } = onnxProto.onnx
  const decoded = ModelProto.decode(model)
  const type = decoded.graph?.input?.[0]?.type?.tensorType
  if (type) type.elemType = 1
  return ModelProto.encode(decoded).finish()
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0
  for (let index = 0; index < a.length; index++) {
    const difference = Math.abs((a[index] ?? Number.NaN) - (b[index] ?? Number.NaN))
    if (!(difference <= largest)) largest = difference
  }
  return largest
}

/** The default model, converted here and now. */
async function converted(batched: boolean): Promise<Uint8Array> {
  const [provider] = catalog[0]?.providers ?? []
  if (!provider?.convert) throw new Error('the default model is converted')
  const context = { scratch: '', signal: new AbortController().signal, report: () => {} }
  const read = archiveFiles(await defaultPackage(), context)
  const { path, convert: spec } = withBatchAxis(provider, batched)
  if (!spec) throw new Error('it still is')
  const graph = (await read([path])).get(path) ?? new Uint8Array()
  return convertGraph({ path, graph, spec }, read)
}

describe('the default model, converted', () => {
  let model: Uint8Array
  let onBytes: InferenceSession
  let onFloats: InferenceSession

  beforeAll(async () => {
    model = readFileSync((await defaultModel()).file)
    const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const
    onBytes = await InferenceSession.create(model, options)
    onFloats = await InferenceSession.create(fedFloats(model), options)
  }, 120_000)

  async function run(session: InferenceSession, pixels: Float32Array | Uint8Array) {
    const type = pixels instanceof Uint8Array ? 'uint8' : 'float32'
    const { scores, boxes } = await session.run({
      image: new Tensor(type, pixels, [1, SIDE, SIDE, 3]),
    })
    if (!scores || !boxes) throw new Error('the model has the outputs scores and boxes')
    return {
      scores: scores.data as Float32Array,
      boxes: boxes.data as Float32Array,
      dims: [scores.dims, boxes.dims],
    }
  }

  it('is the same file each time, as long as the converter has the same version', async () => {
    const fresh = await converted(false)
    const sha256 = createHash('sha256').update(fresh).digest('hex')
    expect({ version: CONVERTER_VERSION, sha256 }).toEqual({
      version: 1,
      sha256: '398e3a2b2d07382ecd1291c54984a51cb1bf71fb19bb3614536d07a9bb1f3a26',
    })
    expect(Buffer.compare(fresh, model)).toBe(0)
  })

  it.each(stills)('computes on $source.file what the original graph does', async (fixture) => {
    const { scores, boxes, dims } = await run(onFloats, await resized(fixture))
    const { outputs } = fixture
    expect(dims).toEqual([outputs.scores.dims, outputs.boxes.dims])
    expect(outputs.scores.values.length).toBeGreaterThan(1000)
    expect(outputs.boxes.values.length).toBeGreaterThan(1000)
    const { every } = outputs.scores
    expect(largestDifference(sampleEvery(scores, every), outputs.scores.values)).toBeLessThan(1e-4)
    expect(
      largestDifference(sampleEvery(boxes, outputs.boxes.every), outputs.boxes.values),
    ).toBeLessThan(1e-4)
  })

  it.each(stills)(
    'finds on $source.file the anchors that the original graph finds',
    async (fixture) => {
      const { scores, boxes } = await run(onFloats, await resized(fixture))
      expect(fixture.candidates.length).toBeGreaterThan(0)
      for (const { anchor, classId, score, box } of fixture.candidates) {
        expect(scores[anchor * 90 + classId]).toBeCloseTo(score, 3)
        expect(largestDifference(box, boxes.subarray(anchor * 4, anchor * 4 + 4))).toBeLessThan(
          1e-3,
        )
      }
    },
  )

  it('gives for bytes exactly what it gives for the same numbers as floats', async () => {
    const bytes = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, index) => (index * 7919) % 256)
    const fromBytes = await run(onBytes, bytes)
    const fromFloats = await run(onFloats, Float32Array.from(bytes))
    expect(largestDifference(fromBytes.scores, fromFloats.scores)).toBe(0)
    expect(largestDifference(fromBytes.boxes, fromFloats.boxes)).toBe(0)
    expect(fromBytes.scores.some((score) => score > 0)).toBe(true)
  })

  it.each(stills)(
    'loses next to nothing on $source.file by rounding pixels to bytes',
    async (fixture) => {
      const bytes = Uint8Array.from(await resized(fixture), Math.round)
      const { scores, boxes } = await run(onBytes, bytes)
      for (const { anchor, classId, score, box } of fixture.candidates) {
        const found = scores[anchor * 90 + classId] ?? Number.NaN
        expect(Math.abs(found - score)).toBeLessThan(0.03)
        const near = boxes.subarray(anchor * 4, anchor * 4 + 4)
        expect(largestDifference(box, near)).toBeLessThan(0.002)
      }
    },
  )
})

describe('the default model, converted with a batch axis', () => {
  let folder: string
  let batched: Session
  let single: Session

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heliograph-batched-'))
    const file = join(folder, 'model.onnx')
    await writeFile(file, fedFloats(await converted(true)))
    batched = await onnxBackend.load(file, { device: 'cpu', threads: 1 })
    const fixed = join(folder, 'fixed.onnx')
    await writeFile(fixed, fedFloats(readFileSync((await defaultModel()).file)))
    single = await onnxBackend.load(fixed, { device: 'cpu', threads: 1 })
  }, 120_000)
  afterAll(async () => {
    await batched?.close()
    await single?.close()
    await rm(folder, { recursive: true })
  })

  it('takes batches, and without the axis does not', () => {
    expect([batched.hasBatchAxis, single.hasBatchAxis]).toEqual([true, false])
  })

  it.each([1, 4])('computes for each of %i what the original graph does', async (count) => {
    const pictures = await Promise.all(stills.map(resized))
    const chosen = Array.from({ length: count }, (_, index) => index % stills.length)
    const samples = chosen.map((index): Tensors => {
      const data = pictures[index] ?? new Float32Array()
      return { image: { dtype: 'float32', dims: [1, SIDE, SIDE, 3], data } }
    })
    const found = await batched.runBatch(samples)
    expect(found).toHaveLength(count)
    for (const [at, { scores, boxes }] of found.entries()) {
      const { outputs } = stills[chosen[at] ?? 0] as OracleFixture
      const pairs = [
        [scores, outputs.scores],
        [boxes, outputs.boxes],
      ] as const
      for (const [seen, expected] of pairs) {
        expect(seen?.dims).toEqual(expected.dims)
        const values = sampleEvery(seen?.data as Float32Array, expected.every)
        expect(largestDifference(values, expected.values)).toBeLessThan(1e-4)
      }
    }
  })

  it('computes in a batch what it computes for one at a time', async () => {
    const samples = (await Promise.all(stills.map(resized))).map((data): Tensors => {
      return { image: { dtype: 'float32', dims: [1, SIDE, SIDE, 3], data } }
    })
    const together = await batched.runBatch(samples)
    for (const [at, sample] of samples.entries()) {
      const one = await single.run(sample)
      for (const name of ['scores', 'boxes']) {
        const [a, b] = [one[name]?.data, together[at]?.[name]?.data]
        expect(largestDifference(a as Float32Array, b as Float32Array)).toBeLessThan(1e-5)
      }
    }
  })
})
