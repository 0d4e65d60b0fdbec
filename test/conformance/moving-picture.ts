import type { Yuv420 } from '../../agent/core/stages.ts'

/** Paints picture `index` of a series in which nothing stays where it was: slopes that move, smooth enough to survive compression. */
export function paintPicture(picture: Yuv420, index: number): void {
  const { width, height, y, u, v, yStride, uvStride } = picture
  for (let line = 0; line < height; line++) {
    for (let x = 0; x < width; x++) y[line * yStride + x] = lumaAt(x, line, index)
  }
  for (let line = 0; line < height / 2; line++) {
    for (let x = 0; x < width / 2; x++) {
      u[line * uvStride + x] = wave(60, 200, x + index * 2, 90)
      v[line * uvStride + x] = wave(60, 200, line + index * 3, 70)
    }
  }
}

/** The same picture as bytes in a row: Y, U, V without padding. */
export function pictureBytes(width: number, height: number, index: number): Buffer {
  const luma = width * height
  const bytes = Buffer.alloc((luma * 3) / 2)
  const y = bytes.subarray(0, luma)
  const u = bytes.subarray(luma, luma * 1.25)
  const v = bytes.subarray(luma * 1.25)
  paintPicture({ width, height, y, u, v, yStride: width, uvStride: width / 2 }, index)
  return bytes
}

/** Peak signal-to-noise ratio of two rows of bytes, dB. */
export function psnr(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length || a.length === 0)
    throw new Error(`${a.length} bytes beside ${b.length}`)
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += ((a[at] ?? 0) - (b[at] ?? 0)) ** 2
  return sum === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10((255 ** 2 * a.length) / sum)
}

function lumaAt(x: number, line: number, index: number): number {
  return wave(30, 220, x + 2 * line + index * 7, 160)
}

/** A triangle between `low` and `high` with that period. */
function wave(low: number, high: number, at: number, period: number): number {
  const phase = (at % period) / period
  return Math.round(low + (high - low) * (phase < 0.5 ? phase * 2 : 2 - phase * 2))
}
