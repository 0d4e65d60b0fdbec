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
    const row = target.data.subarray(y * target.stride)
    const upper = rows.first[y] as number
    const lower = rows.second[y] as number
    resizeRow(source.data, upper, lower, rows.weight[y] as number, columns, row)
  }
}

function resizeRow(
  data: Uint8Array,
  upper: number,
  lower: number,
  down: number,
  { first, second, weight }: Taps,
  out: Uint8Array,
): void {
  for (let x = 0, to = 0; x < first.length; x++, to += 3) {
    const a = upper + (first[x] as number)
    const b = upper + (second[x] as number)
    const c = lower + (first[x] as number)
    const d = lower + (second[x] as number)
    const right = weight[x] as number
    out[to] = blend(data, a, b, c, d, right, down)
    out[to + 1] = blend(data, a + 1, b + 1, c + 1, d + 1, right, down)
    out[to + 2] = blend(data, a + 2, b + 2, c + 2, d + 2, right, down)
  }
}

/** The sample between four: `a b` above, `c d` below. At most 255 × 2048², which fits 31 bits. */
function blend(
  data: Uint8Array,
  a: number,
  b: number,
  c: number,
  d: number,
  right: number,
  down: number,
): number {
  const left = ONE - right
  const above = (data[a] as number) * left + (data[b] as number) * right
  const below = (data[c] as number) * left + (data[d] as number) * right
  return (above * (ONE - down) + below * down + (ONE * ONE) / 2) >> 22
}
