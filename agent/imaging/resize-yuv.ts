import type { RgbTarget, Yuv420 } from '../core/stages.ts'
import { type YuvColour, type YuvDecoder, yuvDecoder } from './colour.ts'
import { ONE, type Taps, taps } from './taps.ts'

/** Lines of samples are held in 1/64 and colour factors in 1/8192, so that only the result is rounded. */
const SAMPLE = 64
const FACTOR = 8192

/**
 * Scales like `resizeRgb`, straight from the planes of a decoded frame: only pixels that are needed
 * become RGB. Chroma is taken to lie as H.264 has it by default, left in its 2×2 pixels.
 */
export function resizeYuv(source: Yuv420, colour: YuvColour, target: RgbTarget): void {
  const { width, height } = source
  const scaleX = width / target.width
  const scaleY = height / target.height
  const lumaColumns = taps(width, target.width, 1)
  const lumaRows = taps(height, target.height, source.yStride)
  const columns = taps((width + 1) >> 1, target.width, 1, scaleX / 2)
  const rows = taps((height + 1) >> 1, target.height, source.uvStride, scaleY / 2, -0.25)
  const factors = wholeFactors(yuvDecoder(colour))
  const y = new Int32Array(target.width)
  const u = new Int32Array(target.width)
  const v = new Int32Array(target.width)
  for (let row = 0; row < target.height; row++) {
    resizeLine(source.y, lumaRows, row, lumaColumns, y)
    resizeLine(source.u, rows, row, columns, u)
    resizeLine(source.v, rows, row, columns, v)
    decodeLine(y, u, v, factors, target.data, row * target.stride)
  }
}

/** With products of 32-bit integers: V8 would do them as doubles, at twice the time. */
function resizeLine(
  plane: Uint8Array,
  rows: Taps,
  row: number,
  { first, gap, weight }: Taps,
  out: Int32Array,
): void {
  const upper = rows.first[row] as number
  const lower = upper + rows.gap
  const down = rows.weight[row] as number
  for (let x = 0; x < out.length; x++) {
    const right = weight[x] as number
    const a = upper + (first[x] as number)
    const b = lower + (first[x] as number)
    const aLeft = plane[a] as number
    const bLeft = plane[b] as number
    const above = (aLeft * ONE + Math.imul((plane[a + gap] as number) - aLeft, right)) | 0
    const below = (bLeft * ONE + Math.imul((plane[b + gap] as number) - bLeft, right)) | 0
    out[x] = (Math.imul(above, ONE) + Math.imul(below - above, down)) >> 16
  }
}

function wholeFactors(decoder: YuvDecoder): YuvDecoder {
  const whole = (factor: number) => Math.round(factor * FACTOR)
  return {
    black: decoder.black * SAMPLE,
    luma: whole(decoder.luma),
    redV: whole(decoder.redV),
    greenU: whole(decoder.greenU),
    greenV: whole(decoder.greenV),
    blueU: whole(decoder.blueU),
  }
}

function decodeLine(
  y: Int32Array,
  u: Int32Array,
  v: Int32Array,
  { black, luma, redV, greenU, greenV, blueU }: YuvDecoder,
  out: Uint8Array,
  offset: number,
): void {
  const half = (SAMPLE * FACTOR) / 2
  for (let x = 0, to = offset; x < y.length; x++, to += 3) {
    const light = (Math.imul(luma, (y[x] as number) - black) + half) | 0
    const cu = (u[x] as number) - 128 * SAMPLE
    const cv = (v[x] as number) - 128 * SAMPLE
    out[to] = toByte((light + Math.imul(redV, cv)) >> 19)
    out[to + 1] = toByte((light + Math.imul(greenU, cu) + Math.imul(greenV, cv)) >> 19)
    out[to + 2] = toByte((light + Math.imul(blueU, cu)) >> 19)
  }
}

function toByte(value: number): number {
  if (value < 0) return 0
  return value > 255 ? 255 : value
}
