import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Yuv420 } from '../../../agent/core/stages.ts'
import { resizeYuv, scalerPlanes } from '../../../agent/imaging/resize-yuv.ts'
import { noise } from './noise.ts'

beforeAll(() => tf.setBackend('cpu'))

const limited = { matrix: 'bt709', range: 'limited' } as const

/** A picture of one chroma, rows padded by bytes that must not show. */
function picture(
  width: number,
  height: number,
  luma: (x: number, y: number) => number,
  [u, v]: readonly [number, number] = [128, 128],
): Yuv420 {
  const yStride = width + 5
  const columns = Math.ceil(width / 2)
  const uvStride = columns + 3
  const chroma = (value: number) =>
    Uint8Array.from({ length: uvStride * Math.ceil(height / 2) }, (_, i) =>
      i % uvStride < columns ? value : 255 - value,
    )
  const y = Uint8Array.from({ length: yStride * height }, (_, i) =>
    i % yStride < width ? luma(i % yStride, Math.floor(i / yStride)) : 255,
  )
  return { width, height, y, u: chroma(u), v: chroma(v), yStride, uvStride }
}

function resized(
  source: Yuv420,
  width: number,
  height: number,
  colour: Parameters<typeof resizeYuv>[1] = limited,
): Uint8Array {
  const data = new Uint8Array(width * height * 3)
  resizeYuv(source, colour, { width, height, data, stride: width * 3 })
  return data
}

describe('resizing YUV', () => {
  it.each([
    [64, 48, 30, 30],
    [37, 23, 16, 9],
    [16, 9, 37, 23],
  ])('samples the luma of %i×%i like TensorFlow, for %i×%i', async (w, h, width, height) => {
    const bytes = noise(w * h, 5).map((value) => 16 + (value % 220))
    const plane = tf.tensor3d(bytes, [h, w, 1], 'float32')
    const scaled = await tf.image.resizeBilinear(plane, [height, width]).data()
    const actual = resized(
      picture(w, h, (x, y) => bytes[y * w + x] ?? 0),
      width,
      height,
    )
    for (const [i, luma] of scaled.entries()) {
      const grey = ((luma - 16) * 255) / 219
      expect(Math.abs((actual[3 * i] ?? 0) - grey)).toBeLessThan(1)
      expect(actual[3 * i + 1]).toBe(actual[3 * i])
      expect(actual[3 * i + 2]).toBe(actual[3 * i])
    }
  })

  it.each([
    { colour: limited, yuv: [63, 102, 240], name: 'BT.709' },
    { colour: { matrix: 'bt601', range: 'limited' }, yuv: [81, 90, 240], name: 'BT.601' },
    { colour: { matrix: 'bt601', range: 'full' }, yuv: [76, 85, 255], name: 'full-range BT.601' },
  ] as const)('shows red as red in $name', ({ colour, yuv: [y, u, v] }) => {
    const actual = resized(
      picture(33, 17, () => y, [u, v]),
      8,
      8,
      colour,
    )
    for (const [i, value] of actual.entries()) {
      expect(Math.abs(value - (i % 3 === 0 ? 255 : 0))).toBeLessThanOrEqual(2)
    }
  })

  it('keeps what lies outside the RGB cube at its nearest byte', () => {
    const bright = resized(
      picture(4, 4, () => 235, [240, 240]),
      2,
      2,
    )
    const dark = resized(
      picture(4, 4, () => 0, [16, 16]),
      2,
      2,
    )
    expect([bright[0], bright[2]]).toEqual([255, 255])
    expect([dark[0], dark[2]]).toEqual([0, 0])
  })

  it('moves a vertical colour edge no further than the chroma samples are apart', () => {
    const source = picture(64, 8, () => 128)
    const halves = (plane: Uint8Array, left: number, right: number) =>
      plane.map((_, i) => (i % source.uvStride < 16 ? left : right))
    const edge = { ...source, u: halves(source.u, 90, 160), v: halves(source.v, 160, 90) }
    const actual = resized(edge, 64, 8)
    const red = Array.from({ length: 64 }, (_, x) => actual[x * 3] ?? 0)
    expect(new Set(red.slice(0, 31)).size).toBe(1)
    expect(new Set(red.slice(32)).size).toBe(1)
    expect(red[0]).toBeGreaterThan(red[63] ?? 0)
  })

  it('moves a horizontal colour edge to halfway between the rows that chroma stands for', () => {
    const source = picture(8, 64, () => 128)
    const halves = (plane: Uint8Array, above: number, below: number) =>
      plane.map((_, i) => (i < 16 * source.uvStride ? above : below))
    const edge = { ...source, u: halves(source.u, 90, 160), v: halves(source.v, 160, 90) }
    const actual = resized(edge, 8, 64)
    const red = Array.from({ length: 64 }, (_, y) => actual[y * 8 * 3] ?? 0)
    const [above = 0, below = 0] = [red[0], red[63]]
    expect(red.map((value) => (value === above ? 'a' : value === below ? 'b' : '-')).join('')).toBe(
      `${'a'.repeat(31)}--${'b'.repeat(31)}`,
    )
    const [early = 0, late = 0] = red.slice(31, 33)
    expect(above).toBeGreaterThan(below)
    expect(Math.abs(above - early - (late - below))).toBeLessThanOrEqual(1)
  })

  it.each([
    [1, 1, 1, 1],
    [1, 7, 5, 3],
    [3, 1, 17, 2],
    [641, 359, 33, 9],
  ])('scales %i×%i to %i×%i whatever lies behind its planes', (w, h, width, height) => {
    const grey = picture(w, h, () => 126)
    expect(new Set(resized(grey, width, height))).toEqual(new Set([128]))
  })

  it('writes its rows where the target has them, and nothing between them', () => {
    const data = new Uint8Array(3 * 40).fill(7)
    resizeYuv(
      picture(16, 16, () => 235),
      limited,
      { width: 9, height: 3, data, stride: 40 },
    )
    const row = [...Array<number>(27).fill(255), ...Array<number>(13).fill(7)]
    expect([...data]).toEqual([...row, ...row, ...row])
  })

  it('takes a picture from its own memory as from any other', () => {
    const bytes = noise(64 * 48 * 2, 3)
    const source = { ...picture(64, 48, () => 0), yStride: 64, uvStride: 32 }
    const luma = bytes.subarray(0, 64 * 48)
    const [u, v] = [bytes.subarray(3072, 3840), bytes.subarray(4000, 4768)]
    const elsewhere = { ...source, y: luma, u, v }
    const there = scalerPlanes(64, 48)
    there.y.set(luma)
    there.u.set(u)
    there.v.set(v)
    expect(resized(there, 30, 20)).toEqual(resized(elsewhere, 30, 20))
  })

  it('empties planes that its memory has outgrown', () => {
    const small = scalerPlanes(8, 8)
    const large = scalerPlanes(8000, 4000)
    expect(small.y.length).toBe(0)
    expect(large.y.length).toBe(32_000_000)
    expect(
      resized(
        picture(8, 8, () => 126),
        4,
        4,
      )[0],
    ).toBe(128)
    expect(large.y.length).toBe(32_000_000)
  })

  it('refuses lines that do not fit its memory', () => {
    const data = new Uint8Array(3 * 32_769)
    const target = { width: 32_769, height: 1, data, stride: data.length }
    expect(() =>
      resizeYuv(
        picture(8, 8, () => 16),
        limited,
        target,
      ),
    ).toThrow(RangeError)
  })
})
