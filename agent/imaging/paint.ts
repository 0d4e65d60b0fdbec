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
export function fill(
  picture: Canvas,
  { left, top, right, bottom }: Rectangle,
  colour: YuvPixel,
): void {
  fillBetween(picture, left, top, right, bottom, colour)
}

/** Numbers here and below: what draws each picture of a video leaves the collector nothing to do. */
function fillBetween(
  picture: Canvas,
  fromX: number,
  fromY: number,
  toX: number,
  toY: number,
  colour: YuvPixel,
): void {
  const left = Math.max(fromX, 0)
  const top = Math.max(fromY, 0)
  const right = Math.min(toX, picture.width)
  const bottom = Math.min(toY, picture.height)
  if (right <= left || bottom <= top) return
  if ('data' in picture) {
    fillRgb(picture, left, top, right, bottom, yuvToRgb(colour))
    return
  }
  const [y, u, v] = colour
  const blockRight = (right + 1) >> 1
  const blockBottom = (bottom + 1) >> 1
  fillPlane(picture.y, picture.yStride, left, top, right, bottom, y)
  fillPlane(picture.u, picture.uvStride, left >> 1, top >> 1, blockRight, blockBottom, u)
  fillPlane(picture.v, picture.uvStride, left >> 1, top >> 1, blockRight, blockBottom, v)
}

function fillRgb(
  { width, data }: RgbPicture,
  left: number,
  top: number,
  right: number,
  bottom: number,
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
  fillBetween(picture, left, top, right, inside, colour)
  fillBetween(picture, left, below, right, bottom, colour)
  fillBetween(picture, left, inside, Math.min(left + thickness, right), below, colour)
  fillBetween(picture, Math.max(right - thickness, left), inside, right, below, colour)
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
  const dab = brush(picture, luma)
  let x = left
  for (const character of text) {
    writeGlyph(glyph(character), x, top, scale, dab)
    x += ADVANCE * scale
  }
}

/** Fills the part of a rectangle that lies in the picture. */
type Dab = (left: number, top: number, right: number, bottom: number) => void

function brush(picture: Canvas, luma: number): Dab {
  const { width, height } = picture
  const grey = yuvToRgb([luma, 128, 128])
  return (left, top, right, bottom) => {
    const x = Math.max(left, 0)
    const y = Math.max(top, 0)
    const endX = Math.min(right, width)
    const endY = Math.min(bottom, height)
    if (endX <= x || endY <= y) return
    if ('data' in picture) fillRgb(picture, x, y, endX, endY, grey)
    else fillPlane(picture.y, picture.yStride, x, y, endX, endY, luma)
  }
}

/** Dots that lie side by side are one dab. */
function writeGlyph(
  rows: readonly number[],
  left: number,
  top: number,
  scale: number,
  dab: Dab,
): void {
  for (let row = 0; row < rows.length; row++) {
    const bits = (rows[row] ?? 0) << 1
    const y = top + row * scale
    let begin = 0
    for (let column = 0; column <= GLYPH_WIDTH; column++) {
      const set = (bits >> (GLYPH_WIDTH - column)) & 1
      if (set !== 0) continue
      if (column > begin) dab(left + begin * scale, y, left + column * scale, y + scale)
      begin = column + 1
    }
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
  left: number,
  top: number,
  right: number,
  bottom: number,
  value: number,
): void {
  const wide = right - left > NARROW
  for (let row = top; row < bottom; row++) {
    const from = row * stride + left
    const to = row * stride + right
    if (wide) plane.fill(value, from, to)
    else for (let i = from; i < to; i++) plane[i] = value
  }
}
