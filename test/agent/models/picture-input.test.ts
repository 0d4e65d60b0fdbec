import { describe, expect, it } from 'vitest'
import type { Frame, RgbTarget, Sample, TensorPool } from '../../../agent/core/stages.ts'
import { checkPictureInput, preparePicture } from '../../../agent/models/picture-input.ts'
import type { ModelInput } from '../../../schemas/manifest.ts'
import { noise } from '../imaging/noise.ts'
import { stretchedBytes } from './manifests.ts'

/** A frame whose every scaled picture is `colourAt`, and which remembers what it was asked for. */
function paintedFrame(width: number, height: number) {
  const targets: RgbTarget[] = []
  const frame: Frame = {
    width,
    height,
    async scaleTo(target) {
      targets.push(target)
      for (let y = 0; y < target.height; y++) {
        for (let x = 0; x < target.width; x++) {
          for (let c = 0; c < 3; c++) target.data[y * target.stride + x * 3 + c] = colourAt(x, y, c)
        }
      }
    },
    copyTo: () => Promise.reject(new Error('preprocessing needs no copy')),
    retain: () => {},
    release: () => {},
  }
  const sample: Sample = { kind: 'picture', frame, capturedAt: 0, decodeMs: 0 }
  return { sample, targets }
}

const colours = noise(1 << 12, 11)
const colourAt = (x: number, y: number, channel: number) =>
  colours[(x * 7 + y * 131 + channel * 977) % colours.length] ?? 0

/** A pool whose buffers are full of rubbish, as real ones are. */
function dirtyPool() {
  const lent: SharedArrayBuffer[] = []
  const pool: TensorPool = {
    lend(bytes) {
      const buffer = new SharedArrayBuffer(bytes)
      new Uint8Array(buffer).fill(0xab)
      lent.push(buffer)
      return buffer
    },
  }
  return { pool, lent }
}

interface Size {
  readonly width: number
  readonly height: number
}

/** Every value of the tensor, in its order, where the picture fills `content` and the pad is 77. */
function expectedValues({ width, height, layout, colour }: ModelInput, content: Size): number[] {
  return Array.from({ length: width * height * 3 }, (_, i) => {
    const pixel = layout === 'nhwc' ? Math.floor(i / 3) : i % (width * height)
    const channel = layout === 'nhwc' ? i % 3 : Math.floor(i / (width * height))
    const [x, y] = [pixel % width, Math.floor(pixel / width)]
    if (x >= content.width || y >= content.height) return 77
    return colourAt(x, y, colour === 'bgr' ? 2 - channel : channel)
  })
}

/** A frame in an input of 40×24, and which part of the input it fills. */
const fits = [
  { fit: 'stretch', frame: { width: 100, height: 100 }, content: { width: 40, height: 24 } },
  { fit: 'letterbox', frame: { width: 100, height: 100 }, content: { width: 24, height: 24 } },
  { fit: 'letterbox', frame: { width: 200, height: 50 }, content: { width: 40, height: 10 } },
] as const

const variants = (['uint8', 'float32'] as const).flatMap((dtype) =>
  (['nhwc', 'nchw'] as const).flatMap((layout) =>
    (['rgb', 'bgr'] as const).flatMap((colour) =>
      fits.map((fit) => ({ dtype, layout, colour, ...fit })),
    ),
  ),
)

describe('a picture input', () => {
  it.each(variants)('is $dtype $layout $colour $fit of $frame', async (variant) => {
    const { frame, content, ...how } = variant
    const input: ModelInput = { ...stretchedBytes, ...how, width: 40, height: 24, pad: 77 }
    const { sample } = paintedFrame(frame.width, frame.height)
    const { pool, lent } = dirtyPool()
    const { inputs, meta } = await preparePicture(sample, input, pool)

    const { image } = inputs
    expect(image?.dtype).toBe(how.dtype)
    expect(image?.dims).toEqual(how.layout === 'nhwc' ? [1, 24, 40, 3] : [1, 3, 24, 40])
    expect([...(image?.data ?? [])]).toEqual(expectedValues(input, content))
    expect(lent.map((buffer) => buffer.byteLength)).toEqual([
      40 * 24 * 3 * (how.dtype === 'float32' ? 4 : 1),
    ])
    expect(image?.data.buffer).toBe(lent[0])
    expect(meta).toEqual({
      frameWidth: frame.width,
      frameHeight: frame.height,
      contentWidth: content.width,
      contentHeight: content.height,
    })
  })

  it('is scaled straight into the lent buffer where it is interleaved RGB bytes', async () => {
    const { sample, targets } = paintedFrame(1280, 720)
    const { pool, lent } = dirtyPool()
    await preparePicture(sample, stretchedBytes, pool)
    expect(targets).toHaveLength(1)
    expect(targets[0]).toMatchObject({ width: 300, height: 300, stride: 900 })
    expect(targets[0]?.data.buffer).toBe(lent[0])
  })

  it('is normalised per channel of the tensor', async () => {
    const input: ModelInput = {
      ...stretchedBytes,
      width: 8,
      height: 8,
      dtype: 'float32',
      colour: 'bgr',
      mean: [103.53, 116.28, 123.675],
      std: [57.375, 57.12, 58.395],
    }
    const { sample } = paintedFrame(8, 8)
    const { inputs } = await preparePicture(sample, input, dirtyPool().pool)
    const expected = [
      (colourAt(0, 0, 2) - 103.53) / 57.375,
      (colourAt(0, 0, 1) - 116.28) / 57.12,
      (colourAt(0, 0, 0) - 123.675) / 58.395,
    ]
    const actual = [...(inputs.image?.data ?? [])].slice(0, 3).map(Number)
    for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 5)
  })

  it('travels between threads with its meta', async () => {
    const { sample } = paintedFrame(100, 50)
    const input = { ...stretchedBytes, width: 8, height: 8 }
    const prepared = await preparePicture(sample, input, dirtyPool().pool)
    expect(structuredClone(prepared)).toEqual(prepared)
  })

  it.each([
    { mean: [1, 2, 3], dtype: 'uint8' as const, says: 'needs dtype float32' },
    { mean: [1, 2], dtype: 'float32' as const, says: 'three numbers' },
    { std: [1, 0, 1], dtype: 'float32' as const, says: 'std no zero' },
  ])('is refused with $mean $std on $dtype', ({ says, ...change }) => {
    expect(() => checkPictureInput({ ...stretchedBytes, ...change })).toThrow(
      expect.objectContaining({ code: 'MODEL_LOAD', message: expect.stringContaining(says) }),
    )
  })
})
