import type { RgbTarget } from '../core/stages.ts'
import { ONE, type Taps, taps } from './taps.ts'

/** A picture in RGB, 8 bit, interleaved, rows without padding. */
export interface RgbPicture {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

/**
 * Scales with two taps per axis at `source = target × (source size ÷ target size)`, without
 * antialiasing: TensorFlow's ResizeBilinear (align_corners and half_pixel_centers off), behind which
 * its detection models were trained. Other kernels cost those models boxes. Rounds to the nearest byte.
 */
export function resizeRgb(source: RgbPicture, target: RgbTarget): void {
  const columns = taps(source.width, target.width, 3)
  const rows = taps(source.height, target.height, source.width * 3)
  for (let y = 0; y < target.height; y++) {
    resizeRow(source.data, rows, y, columns, target.data, y * target.stride)
  }
}

/** With products of 32-bit integers, at most 255 × 2048²; V8 would do them as doubles. */
function resizeRow(
  data: Uint8Array,
  rows: Taps,
  row: number,
  { first, gap, weight }: Taps,
  out: Uint8Array,
  offset: number,
): void {
  const upper = rows.first[row] as number
  const down = rows.weight[row] as number
  for (let x = 0, to = offset; x < first.length; x++) {
    const right = weight[x] as number
    const at = upper + (first[x] as number)
    for (let colour = 0; colour < 3; colour++, to++) {
      const a = at + colour
      const c = a + rows.gap
      const aLeft = data[a] as number
      const cLeft = data[c] as number
      const above = (aLeft * ONE + Math.imul((data[a + gap] as number) - aLeft, right)) | 0
      const below = (cLeft * ONE + Math.imul((data[c + gap] as number) - cLeft, right)) | 0
      out[to] = (Math.imul(above, ONE) + Math.imul(below - above, down) + (ONE * ONE) / 2) >> 22
    }
  }
}
