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
import { createModel, optionsFor } from '../../../agent/models/registry.ts'
import { withBatchAxis } from '../../../agent/store/batch-axis.ts'
import { catalog } from '../../../agent/store/catalog.ts'
import { convertGraph } from '../../../agent/store/convert.ts'
import { archiveFiles } from '../../../agent/store/providers/archive.ts'
import { CONVERTER_VERSION } from '../../../agent/store/tfjs/version.ts'
import { TRACKED_SCORE } from '../../../agent/tracking/tracker.ts'
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

/** The default model, converted here and now: as it is used, or with all rows of its outputs. */
async function converted(batched: boolean, rows: 'best' | 'all'): Promise<Uint8Array> {
  const [provider] = catalog[0]?.providers ?? []
  if (!provider?.convert) throw new Error('the default model is converted')
  const context = { scratch: '', signal: new AbortController().signal, report: () => {} }
  const read = archiveFiles(await defaultPackage(), context)
  const { path, convert } = withBatchAxis(provider, batched)
  if (!convert?.best) throw new Error('it still is, and keeps the best rows')
  const { best, ...others } = convert
  const spec = rows === 'best' ? { ...others, best } : others
  const graph = (await read([path])).get(path) ?? new Uint8Array()
  return convertGraph({ path, graph, spec }, read)
}

describe('the default model, converted', () => {
  let model: Uint8Array
  let onBytes: InferenceSession
  let onFloats: InferenceSession
  let bestOnBytes: InferenceSession

  beforeAll(async () => {
    model = readFileSync((await defaultModel()).file)
    const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const
    bestOnBytes = await InferenceSession.create(model, options)
    const whole = await converted(false, 'all')
    onBytes = await InferenceSession.create(whole, options)
    onFloats = await InferenceSession.create(fedFloats(whole), options)
  }, 120_000)

  async function run(session: InferenceSession, pixels: Float32Array | Uint8Array) {
    const type = pixels instanceof Uint8Array ? 'uint8' : 'float32'
    const { scores, boxes } = await session.run({
      image: new Tensor(type, pixels, [1, SIDE, SIDE, 3]),
    })
    if (!scores || !boxes) throw new Error('the model has the outputs scores and boxes')
    const tensorOf = ({ dims, data }: Tensor) =>
      ({ dtype: 'float32', dims, data: data as Float32Array }) as const
    const tensors = { scores: tensorOf(scores), boxes: tensorOf(boxes) }
    return {
      tensors,
      scores: tensors.scores.data,
      boxes: tensors.boxes.data,
      dims: [scores.dims, boxes.dims],
    }
  }

  it('is the same file each time, as long as the converter has the same version', async () => {
    const fresh = await converted(false, 'best')
    const sha256 = createHash('sha256').update(fresh).digest('hex')
    expect({ version: CONVERTER_VERSION, sha256 }).toEqual({
      version: 1,
      sha256: '9074482757faba6458ab94d29155c88fb26024eb7781b3e85e5010bb6899d84e',
    })
    expect(Buffer.compare(fresh, model)).toBe(0)
  })

  it.each(stills)('gives of $source.file the 300 anchors with the best scores', async (fixture) => {
    const bytes = Uint8Array.from(await resized(fixture), Math.round)
    const [all, best] = [await run(onBytes, bytes), await run(bestOnBytes, bytes)]
    expect(best.dims).toEqual([
      [1, 300, 90],
      [1, 300, 1, 4],
    ])
    const scoresOf = (anchor: number) => all.scores.subarray(anchor * 90, (anchor + 1) * 90)
    const expected = Array.from({ length: 1917 }, (_, anchor) => ({
      anchor,
      best: Math.max(...scoresOf(anchor)),
    }))
    expected.sort((a, b) => b.best - a.best)
    for (const [row, { anchor }] of expected.slice(0, 300).entries()) {
      expect(best.scores.subarray(row * 90, (row + 1) * 90)).toEqual(scoresOf(anchor))
      const box = all.boxes.subarray(anchor * 4, (anchor + 1) * 4)
      expect(best.boxes.subarray(row * 4, (row + 1) * 4)).toEqual(box)
    }
  })

  it.each(stills)(
    'shows on $source.file what all anchors show, from the least score that is tracked on',
    async (fixture) => {
      const bytes = Uint8Array.from(await resized(fixture), Math.round)
      const { width: frameWidth, height: frameHeight } = fixture
      const placement = { frameWidth, frameHeight, contentWidth: SIDE, contentHeight: SIDE }
      const [manifest] = catalog
      if (!manifest) throw new Error('it is the first')
      const decode = async (session: InferenceSession) =>
        createModel(manifest).postprocess((await run(session, bytes)).tensors, placement, {
          ...optionsFor(manifest),
          minScore: TRACKED_SCORE,
          maxItems: 1000,
        })
      const expected = await decode(onBytes)
      expect(expected.length).toBeGreaterThan(0)
      expect(await decode(bestOnBytes)).toEqual(expected)
    },
  )

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
  let batchedBest: Session
  let singleBest: Session

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heliograph-batched-'))
    const load = async (name: string, model: Uint8Array) => {
      const file = join(folder, name)
      await writeFile(file, fedFloats(model))
      return onnxBackend.load(file, { device: 'cpu', threads: 1 })
    }
    batched = await load('all.onnx', await converted(true, 'all'))
    batchedBest = await load('best.onnx', await converted(true, 'best'))
    singleBest = await load('fixed.onnx', readFileSync((await defaultModel()).file))
  }, 120_000)
  afterAll(async () => {
    for (const session of [batched, batchedBest, singleBest]) await session?.close()
    await rm(folder, { recursive: true })
  })

  it('takes batches, and without the axis does not', () => {
    const sessions = [batched, batchedBest, singleBest]
    expect(sessions.map(({ hasBatchAxis }) => hasBatchAxis)).toEqual([true, true, false])
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
    const together = await batchedBest.runBatch(samples)
    for (const [at, sample] of samples.entries()) {
      const one = await singleBest.run(sample)
      for (const name of ['scores', 'boxes']) {
        const [a, b] = [one[name]?.data, together[at]?.[name]?.data]
        expect(a?.length).toBeGreaterThan(1000)
        expect(largestDifference(a as Float32Array, b as Float32Array)).toBeLessThan(1e-5)
      }
    }
  })
})
