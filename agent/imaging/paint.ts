import type { Yuv420 } from '../core/stages.ts'
import type { YuvPixel } from './class-colour.ts'
import { yuvToRgb } from './colour.ts'
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyph } from './font.ts'
import type { RgbPicture } from './resize.ts'

/** A picture that can be drawn on: as video has it, or as stills have it. */
export type Canvas = Yuv420 | RgbPicture

/** Whole pixels; `right` and `bottom` lie outside. */
export interface Rectangle {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/** Columns from one character to the next, before scaling. */
const ADVANCE = GLYPH_WIDTH + 1

/** Below this, a loop beats the call of the built-in `fill`. */
const NARROW = 24

/** Columns that `text` takes at `scale`; its last glyph has no gap behind it. */
export function textWidth(text: string, scale: number): number {
  return text.length === 0 ? 0 : (text.length * ADVANCE - 1) * scale
}

/** How many characters fit into `width` columns at `scale`. */
export function lettersIn(width: number, scale: number): number {
  return Math.max(0, Math.floor((Math.floor(width / scale) + 1) / ADVANCE))
}

/** Rows that any text takes at `scale`. */
export function textHeight(scale: number): number {
  return GLYPH_HEIGHT * scale
}

/**
 * Fills a rectangle, as far as it lies in the picture. In YUV, luma is exact; chroma, which exists once per
 * 2×2 pixels, is set wherever a rectangle touches such a block.
 */
export function fill(picture: Canvas, area: Rectangle, colour: YuvPixel): void {
  const visible = within(area, picture.width, picture.height)
  if (visible.right <= visible.left || visible.bottom <= visible.top) return
  if ('data' in picture) fillRgb(picture, visible, yuvToRgb(colour))
  else fillYuv(picture, visible, colour)
}

function fillYuv(
  picture: Yuv420,
  { left, top, right, bottom }: Rectangle,
  [y, u, v]: YuvPixel,
): void {
  fillPlane(picture.y, picture.yStride, { left, top, right, bottom }, y)
  const blocks = {
    left: left >> 1,
    top: top >> 1,
    right: (right + 1) >> 1,
    bottom: (bottom + 1) >> 1,
  }
  fillPlane(picture.u, picture.uvStride, blocks, u)
  fillPlane(picture.v, picture.uvStride, blocks, v)
}

function fillRgb(
  { width, data }: RgbPicture,
  { left, top, right, bottom }: Rectangle,
  [red, green, blue]: readonly [number, number, number],
): void {
  const first = (top * width + left) * 3
  const end = first + (right - left) * 3
  for (let at = first; at < end; at += 3) {
    data[at] = red
    data[at + 1] = green
    data[at + 2] = blue
  }
  for (let row = top + 1; row < bottom; row++) {
    data.copyWithin((row * width + left) * 3, first, end)
  }
}

/** The lines of a rectangle, `thickness` pixels inwards from its edges. */
export function outline(
  picture: Canvas,
  { left, top, right, bottom }: Rectangle,
  thickness: number,
  colour: YuvPixel,
): void {
  const inside = Math.min(top + thickness, bottom)
  const below = Math.max(bottom - thickness, inside)
  fill(picture, { left, top, right, bottom: inside }, colour)
  fill(picture, { left, top: below, right, bottom }, colour)
  const sides = { top: inside, bottom: below }
  fill(picture, { ...sides, left, right: Math.min(left + thickness, right) }, colour)
  fill(picture, { ...sides, left: Math.max(right - thickness, left), right }, colour)
}

/**
 * Writes `text` with its top left corner at `left`, `top`: in YUV in luma alone, in RGB in the grey of it;
 * outside the picture it is cut.
 */
export function write(
  picture: Canvas,
  text: string,
  { left, top, scale }: { readonly left: number; readonly top: number; readonly scale: number },
  luma: number,
): void {
  for (const [index, character] of [...text].entries()) {
    const x = left + index * ADVANCE * scale
    for (const [row, bits] of glyph(character).entries()) {
      writeRow(picture, bits, { x, y: top + row * scale, scale }, luma)
    }
  }
}

function writeRow(
  picture: Canvas,
  bits: number,
  { x, y, scale }: { readonly x: number; readonly y: number; readonly scale: number },
  luma: number,
): void {
  for (let column = 0; column < GLYPH_WIDTH; column++) {
    if (((bits >> (GLYPH_WIDTH - 1 - column)) & 1) === 0) continue
    const left = x + column * scale
    const dot = { left, top: y, right: left + scale, bottom: y + scale }
    if ('data' in picture) fill(picture, dot, [luma, 128, 128])
    else fillPlane(picture.y, picture.yStride, within(dot, picture.width, picture.height), luma)
  }
}

/** The part of `area` in a picture of `width` × `height`. */
export function within(area: Rectangle, width: number, height: number): Rectangle {
  return {
    left: Math.max(area.left, 0),
    top: Math.max(area.top, 0),
    right: Math.min(area.right, width),
    bottom: Math.min(area.bottom, height),
  }
}

function fillPlane(
  plane: Uint8Array,
  stride: number,
  { left, top, right, bottom }: Rectangle,
  value: number,
): void {
  for (let row = top; row < bottom; row++) {
    const from = row * stride + left
    const to = row * stride + right
    if (right - left > NARROW) plane.fill(value, from, to)
    else for (let i = from; i < to; i++) plane[i] = value
  }
}
