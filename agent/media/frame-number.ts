import type { Yuv420 } from '../core/stages.ts'
import type { RgbPicture } from '../imaging/resize.ts'

/** Width and height of one bit, pixels: large enough to survive 4:2:0, video codecs and JPEG. */
const cell = 16
const mostBits = 32

/** How many bits a picture of this width has room for. */
function bitsIn(width: number): number {
  return Math.min(mostBits, Math.floor(width / cell))
}

/**
 * Writes `number` into the topmost 16 rows of `picture`: one cell of 16×16 pixels a bit, white = 1,
 * the highest of at most 32 bits on the left. A narrow picture has room for the lowest bits only.
 */
export function writeFrameNumber({ width, data }: RgbPicture, number: number): void {
  const bits = bitsIn(width)
  for (let bit = 0; bit < bits; bit++) {
    const value = (number >>> (bits - 1 - bit)) & 1 ? 255 : 0
    for (let row = 0; row < cell; row++) {
      const start = (row * width + bit * cell) * 3
      data.fill(value, start, start + cell * 3)
    }
  }
}

/** Reads what `writeFrameNumber` wrote, from the middle of each cell. */
export function readFrameNumber({ width, y, yStride }: Yuv420): number {
  const bits = bitsIn(width)
  let number = 0
  for (let bit = 0; bit < bits; bit++) {
    const middle = (cell / 2) * yStride + bit * cell + cell / 2
    number = number * 2 + ((y[middle] ?? 0) > 127 ? 1 : 0)
  }
  return number
}
