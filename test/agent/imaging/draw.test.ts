import { describe, expect, it } from 'vitest'
import type { Yuv420 } from '../../../agent/core/stages.ts'
import { classColour, inkOn } from '../../../agent/imaging/class-colour.ts'
import { yuvToRgb } from '../../../agent/imaging/colour.ts'
import { drawItems, styleFor } from '../../../agent/imaging/draw.ts'
import { glyph } from '../../../agent/imaging/font.ts'
import type { Box, Item } from '../../../schemas/results.ts'

const GREY = 90
const PADDING = 201

/** A grey picture; its padded rows, and what lies behind its planes, hold a value of their own. */
function greyPicture(width: number, height: number, padding = 0): Yuv420 {
  const yStride = width + padding
  const columns = Math.ceil(width / 2)
  const uvStride = columns + padding
  const rows = Math.ceil(height / 2)
  const plane = (stride: number, used: number, high: number, value: number) =>
    Uint8Array.from({ length: stride * (high + 2) }, (_, i) =>
      i % stride < used && i < stride * high ? value : PADDING,
    )
  return {
    width,
    height,
    y: plane(yStride, width, height, GREY),
    u: plane(uvStride, columns, rows, 128),
    v: plane(uvStride, columns, rows, 128),
    yStride,
    uvStride,
  }
}

const item = (box: Box, label = 'dog', classId = 17): Item => ({ label, classId, score: 0.96, box })

const lumaAt = ({ y, yStride }: Yuv420, x: number, row: number) => y[row * yStride + x]

interface Pixel {
  readonly x: number
  readonly y: number
}

function pixels({ width, height }: Yuv420): Pixel[] {
  return Array.from({ length: width * height }, (_, i) => ({
    x: i % width,
    y: Math.floor(i / width),
  }))
}

/** Everything that is not grey any more. */
function touched(picture: Yuv420): Pixel[] {
  return pixels(picture).filter(({ x, y }) => lumaAt(picture, x, y) !== GREY)
}

function bytesOutside({ width, height, y, u, v, yStride, uvStride }: Yuv420): number[] {
  const outside = (plane: Uint8Array, stride: number, columns: number, rows: number) =>
    [...plane].filter((_, i) => i % stride >= columns || i >= stride * rows)
  return [
    ...outside(y, yStride, width, height),
    ...outside(u, uvStride, Math.ceil(width / 2), Math.ceil(height / 2)),
    ...outside(v, uvStride, Math.ceil(width / 2), Math.ceil(height / 2)),
  ]
}

describe('a drawn box', () => {
  it.each([
    { width: 320, height: 240, padding: 0 },
    { width: 321, height: 241, padding: 13 },
    { width: 1280, height: 720, padding: 32 },
  ])('has lines of even thickness inside its edges ($width×$height)', (size) => {
    const picture = greyPicture(size.width, size.height, size.padding)
    const [left, top, width, height] = [101, 77, 90, 60]
    drawItems(picture, [item([left, top, width, height])])
    const { thickness } = styleFor(picture)
    const [luma] = classColour(17)
    const expectedAt = (x: number, y: number) => {
      const inwards = Math.min(x - left, left + width - 1 - x, y - top, top + height - 1 - y)
      return inwards >= 0 && inwards < thickness ? luma : GREY
    }
    const below = pixels(picture).filter(({ y }) => y >= top)
    expect(below.filter(({ x, y }) => lumaAt(picture, x, y) !== expectedAt(x, y))).toEqual([])
    expect(below.filter(({ x, y }) => expectedAt(x, y) === luma)).toHaveLength(
      width * height - (width - 2 * thickness) * (height - 2 * thickness),
    )
  })

  it('has its colour in every chroma block that it touches', () => {
    const picture = greyPicture(320, 240)
    drawItems(picture, [item([101, 77, 90, 60])])
    const [, u, v] = classColour(17)
    const at = (x: number, y: number) => {
      const index = (y >> 1) * picture.uvStride + (x >> 1)
      return [picture.u[index], picture.v[index]]
    }
    const corners = [
      [101, 77],
      [190, 77],
      [101, 136],
      [190, 136],
    ] as const
    for (const [x, y] of corners) expect(at(x, y)).toEqual([u, v])
    expect(at(145, 106)).toEqual([128, 128])
    expect(at(193, 139)).toEqual([128, 128])
  })

  it.each([
    { box: [-50, -40, 200, 150] as Box },
    { box: [250, 180, 500, 500] as Box },
    { box: [-10, -10, 1000, 1000] as Box },
    { box: [5, 5, 0, 0] as Box },
    { box: [100.4, 100.6, 1.2, 300] as Box },
  ])('stays within the picture when it is $box', ({ box }) => {
    const picture = greyPicture(321, 241, 9)
    drawItems(picture, [item(box, 'a rather long label for such a picture')])
    expect(new Set(bytesOutside(picture))).toEqual(new Set([PADDING]))
    expect(touched(picture).length).toBeGreaterThan(0)
  })

  it.each([
    { box: [400, 300, 50, 50] as Box },
    { box: [-80, -80, 50, 50] as Box },
    { box: [50, 241, 50, 50] as Box },
  ])('leaves the picture alone when it is $box, outside', ({ box }) => {
    const picture = greyPicture(321, 241, 9)
    drawItems(picture, [item(box)])
    const untouched = greyPicture(321, 241, 9)
    for (const plane of ['y', 'u', 'v'] as const) {
      expect(Buffer.compare(picture[plane], untouched[plane])).toBe(0)
    }
  })

  it('is drawn over those with lower scores', () => {
    const picture = greyPicture(320, 240)
    drawItems(picture, [item([100, 100, 50, 50], 'dog', 17), item([100, 100, 50, 50], 'cat', 16)])
    expect(lumaAt(picture, 125, 149)).toBe(classColour(17)[0])
    expect(classColour(17)[0]).not.toBe(classColour(16)[0])
  })
})

describe('a label', () => {
  const labelOf = (picture: Yuv420, box: Box) => {
    drawItems(picture, [item(box)])
    const { scale } = styleFor(picture)
    const letters = 'dog 96%'.length
    return { width: (letters * 6 - 1 + 2) * scale, height: (8 + 2) * scale }
  }
  const extent = (found: readonly Pixel[]) => ({
    left: Math.min(...found.map(({ x }) => x)),
    right: Math.max(...found.map(({ x }) => x)) + 1,
    top: Math.min(...found.map(({ y }) => y)),
    bottom: Math.max(...found.map(({ y }) => y)) + 1,
  })

  it('stands on its box, at the left', () => {
    const picture = greyPicture(320, 240)
    const { width, height } = labelOf(picture, [100, 100, 150, 50])
    const above = extent(touched(picture).filter(({ y }) => y < 100))
    expect(above).toEqual({ left: 100, right: 100 + width, top: 100 - height, bottom: 100 })
  })

  it('moves left at the right edge', () => {
    const picture = greyPicture(320, 240)
    const { width } = labelOf(picture, [300, 100, 20, 50])
    const above = extent(touched(picture).filter(({ y }) => y < 100))
    expect(above).toMatchObject({ left: 320 - width, right: 320 })
  })

  it('moves into its box at the top edge', () => {
    const picture = greyPicture(320, 240)
    const { width, height } = labelOf(picture, [50, 2, 200, 100])
    const [luma] = classColour(17)
    expect(extent(touched(picture))).toEqual({ left: 50, right: 250, top: 2, bottom: 102 })
    expect(lumaAt(picture, 50 + width - 1, 2 + height - 1)).toBe(luma)
    expect(lumaAt(picture, 50 + width, 2 + height)).toBe(GREY)
  })

  it('is cut at the width of the picture', () => {
    const picture = greyPicture(64, 64)
    drawItems(picture, [item([0, 40, 64, 20], 'a label of many letters')])
    const above = extent(touched(picture).filter(({ y }) => y < 40))
    const letters = Math.floor((64 - 2 + 1) / 6)
    expect(above).toMatchObject({ left: 0, right: letters * 6 - 1 + 2 })
  })

  it('is left out of a picture that is smaller than text', () => {
    const picture = greyPicture(9, 9, 3)
    drawItems(picture, [item([2, 2, 6, 6])])
    expect(extent(touched(picture))).toEqual({ left: 2, right: 8, top: 2, bottom: 8 })
  })

  it('shows the letters of the font in contrasting ink', () => {
    const picture = greyPicture(320, 240)
    const { height } = labelOf(picture, [100, 100, 150, 50])
    const { scale } = styleFor(picture)
    const colour = classColour(17)
    const text = 'dog 96%'
    for (const [index, letter] of [...text].entries()) {
      for (const [row, bits] of glyph(letter).entries()) {
        for (let column = 0; column < 5; column++) {
          const x = 100 + (1 + index * 6 + column) * scale
          const y = 100 - height + (1 + row) * scale
          const isInk = ((bits >> (4 - column)) & 1) === 1
          expect(lumaAt(picture, x, y)).toBe(isInk ? inkOn(colour) : colour[0])
        }
      }
    }
  })

  it('names the track of a tracked object', () => {
    const [tracked, plain] = [greyPicture(320, 240), greyPicture(320, 240)]
    drawItems(tracked, [{ ...item([100, 100, 150, 50]), track: 5 }])
    drawItems(plain, [item([100, 100, 150, 50], 'dog #5')])
    expect(Buffer.compare(tracked.y, plain.y)).toBe(0)
  })
})

describe('on RGB', () => {
  it.each([
    [[101, 77, 90, 60]],
    [[-50, -40, 200, 150]],
    [[250, 180, 500, 500]],
    [[50, 2, 200, 100]],
  ] as [Box][])('draws the same pixels as on YUV, in the same colours: %s', (box) => {
    const yuv = greyPicture(321, 241)
    const [grey] = yuvToRgb([GREY, 128, 128])
    const rgb = { width: 321, height: 241, data: new Uint8Array(321 * 241 * 3).fill(grey) }
    drawItems(yuv, [item(box)])
    drawItems(rgb, [item(box)])
    const [luma] = classColour(17)
    const colours = new Map([
      [GREY, [grey, grey, grey]],
      [luma, yuvToRgb(classColour(17))],
      [inkOn(classColour(17)), yuvToRgb([inkOn(classColour(17)), 128, 128])],
    ])
    const wrong = pixels(yuv).filter(({ x, y }) => {
      const at = (y * 321 + x) * 3
      const expected = colours.get(lumaAt(yuv, x, y) ?? -1)
      return expected?.join() !== rgb.data.subarray(at, at + 3).join()
    })
    expect(wrong).toEqual([])
    expect(touched(yuv).length).toBeGreaterThan(500)
  })
})

describe('sizes', () => {
  it.each([
    [640, 360, 2, 1],
    [1280, 720, 3, 2],
    [1920, 1080, 5, 3],
    [3840, 2160, 9, 7],
    [720, 1280, 3, 2],
  ])(
    'grow with the picture: %i×%i has %i pixel lines and %i pixel dots',
    (width, height, thickness, scale) => {
      expect(styleFor({ width, height })).toEqual({ thickness, scale })
    },
  )
})
