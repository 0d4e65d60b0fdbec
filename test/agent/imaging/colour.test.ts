import { describe, expect, it } from 'vitest'
import { rgbToYuv, rgbToYuv420, yuv420ToRgb, yuvToRgb } from '../../../agent/imaging/colour.ts'

type Colour = readonly [number, number, number]

/** 100 % colour bars, 8 bit, as published for the two standards (ITU-R BT.709, BT.601). */
const bars: readonly { rgb: Colour; bt709: Colour; bt601: Colour }[] = [
  { rgb: [255, 255, 255], bt709: [235, 128, 128], bt601: [235, 128, 128] },
  { rgb: [255, 255, 0], bt709: [219, 16, 138], bt601: [210, 16, 146] },
  { rgb: [0, 255, 255], bt709: [188, 154, 16], bt601: [170, 166, 16] },
  { rgb: [0, 255, 0], bt709: [173, 42, 26], bt601: [145, 54, 34] },
  { rgb: [255, 0, 255], bt709: [78, 214, 230], bt601: [106, 202, 222] },
  { rgb: [255, 0, 0], bt709: [63, 102, 240], bt601: [81, 90, 240] },
  { rgb: [0, 0, 255], bt709: [32, 240, 118], bt601: [41, 240, 110] },
  { rgb: [0, 0, 0], bt709: [16, 128, 128], bt601: [16, 128, 128] },
]

function plain(width: number, height: number, colour: Colour): Uint8Array {
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => colour[i % 3] ?? 0)
}

describe.each(['bt709', 'bt601'] as const)('%s', (matrix) => {
  it.each(bars)('turns $rgb into the published YUV', ({ rgb, ...yuv }) => {
    expect(rgbToYuv(rgb, matrix)).toEqual(yuv[matrix])
  })

  it.each(bars)('gives $rgb back, within the rounding of 8 bits', ({ rgb }) => {
    const back = yuvToRgb(rgbToYuv(rgb, matrix), matrix)
    const differences = back.map((value, channel) => Math.abs(value - (rgb[channel] ?? 0)))
    expect(Math.max(...differences)).toBeLessThanOrEqual(2)
  })

  it.each(bars)('gives a picture of $rgb back, within the rounding of 8 bits', ({ rgb }) => {
    const back = yuv420ToRgb(rgbToYuv420(plain(6, 4, rgb), 6, 4, matrix), matrix)
    expect(back).toHaveLength(6 * 4 * 3)
    for (const [i, value] of back.entries()) {
      expect(Math.abs(value - (rgb[i % 3] ?? 0))).toBeLessThanOrEqual(2)
    }
  })
})

describe('YUV 4:2:0', () => {
  it.each([
    [1, 1],
    [5, 3],
    [4, 7],
  ])('has a chroma sample for every begun 2×2 block of %i×%i', (width, height) => {
    const picture = rgbToYuv420(plain(width, height, [255, 0, 0]), width, height)
    expect(picture.y).toHaveLength(width * height)
    expect(picture.u).toEqual(
      new Uint8Array(Math.ceil(width / 2) * Math.ceil(height / 2)).fill(102),
    )
    expect(picture.v).toEqual(new Uint8Array(picture.u.length).fill(240))
    expect(yuv420ToRgb(picture)).toHaveLength(width * height * 3)
  })

  it('averages the chroma of each block', () => {
    const rgb = new Uint8Array([255, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 255])
    const { y, u, v } = rgbToYuv420(rgb, 2, 2)
    expect([...y]).toEqual([63, 63, 32, 32])
    expect(u[0]).toBe((102 + 240) / 2)
    expect(v[0]).toBe((240 + 118) / 2)
  })

  it('reads rows that are padded', () => {
    const tight = rgbToYuv420(plain(2, 2, [0, 255, 0]), 2, 2)
    const padded = {
      ...tight,
      y: Uint8Array.from([173, 173, 0, 0, 173, 173, 0, 0]),
      u: Uint8Array.from([42, 0, 0]),
      v: Uint8Array.from([26, 0, 0]),
      yStride: 4,
      uvStride: 3,
    }
    expect(yuv420ToRgb(padded)).toEqual(yuv420ToRgb(tight))
  })
})
