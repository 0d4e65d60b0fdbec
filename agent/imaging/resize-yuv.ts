import type { RgbTarget, Yuv420 } from '../core/stages.ts'
import { type YuvColour, type YuvDecoder, yuvDecoder } from './colour.ts'
import { grow, type ResizeKernel, resizeKernel } from './kernel/kernel.ts'
import { packedPlanes, packedSize } from './packed-planes.ts'
import { ONE, type Taps, taps } from './taps.ts'

/** Lines of samples are held in 1/64 and colour factors in 1/8192, so that only the result is rounded. */
const SAMPLE = 64
const FACTOR = 8192

/** Where pictures lie in the kernel's memory: behind tables and lines for the widest target, 31 bytes a column. */
const PLANES = 1 << 20
const MAX_WIDTH = 32_768

/** The kernel takes that many samples of a line at a time. */
const STEP = 8

/** Bytes that the kernel reads and writes behind what counts. */
const SLACK = 16

/** What depends on the two sizes: the tables of taps, and where in the kernel's memory the rest lies. */
interface Layout {
  readonly sizes: string
  readonly lumaRows: Taps
  readonly chromaRows: Taps
  /** Addresses of the tables for columns. */
  readonly luma: Columns
  readonly chroma: Columns
  /** Samples of a line, those of the last step included. */
  readonly count: number
  /** Addresses of three lines of samples, and of the line of pixels that comes of them. */
  readonly y: number
  readonly u: number
  readonly v: number
  readonly rgb: number
}

/** Addresses of a table of offsets, 32 bits, and of one of pairs of weights, 16 bits each. */
interface Columns {
  readonly first: number
  readonly across: number
}

let kernel: ResizeKernel | undefined
let layout: Layout | undefined

/**
 * Scales like `resizeRgb`, straight from the planes of a decoded frame: only pixels that are needed
 * become RGB. Chroma is taken to lie as H.264 has it by default, left in its 2×2 pixels.
 * @param target at most 32,768 pixels wide
 */
export function resizeYuv(source: Yuv420, colour: YuvColour, target: RgbTarget): void {
  kernel ??= resizeKernel()
  const sizes = `${source.width}×${source.height} ${source.yStride} ${source.uvStride} ${target.width}×${target.height}`
  if (layout?.sizes !== sizes) layout = layOut(kernel, sizes, source, target)
  scale(kernel, layout, addresses(kernel, source), wholeFactors(yuvDecoder(colour)), target)
}

/**
 * Room for a picture without padding where `resizeYuv` need not copy it from. Its planes are valid until the next
 * call of either function.
 */
export function scalerPlanes(width: number, height: number): Yuv420 {
  kernel ??= resizeKernel()
  const bytes = packedSize(width, height)
  grow(kernel, PLANES + bytes + SLACK)
  return packedPlanes(new Uint8Array(kernel.memory.buffer, PLANES, bytes), width, height)
}

function scale(
  { memory, line, decode }: ResizeKernel,
  at: Layout,
  [y, u, v]: readonly [number, number, number],
  { black, luma, redV, greenU, greenV, blueU }: YuvDecoder,
  { width, height, stride, data }: RgbTarget,
): void {
  const pixels = new Uint8Array(memory.buffer, at.rgb, width * 3)
  const resizeLine = (plane: number, rows: Taps, row: number, columns: Columns, out: number) => {
    const upper = plane + (rows.first[row] as number)
    const down = rows.weight[row] as number
    line(upper, upper + rows.gap, down, columns.first, columns.across, out, at.count)
  }
  for (let row = 0; row < height; row++) {
    resizeLine(y, at.lumaRows, row, at.luma, at.y)
    resizeLine(u, at.chromaRows, row, at.chroma, at.u)
    resizeLine(v, at.chromaRows, row, at.chroma, at.v)
    decode(at.y, at.u, at.v, at.rgb, at.count, black, luma, redV, greenU, greenV, blueU)
    data.set(pixels, row * stride)
  }
}

function layOut(kernel: ResizeKernel, sizes: string, source: Yuv420, target: RgbTarget): Layout {
  if (target.width > MAX_WIDTH) throw new RangeError(`a line of ${target.width} pixels is too wide`)
  const { width, height, yStride, uvStride } = source
  const [chromaWidth, chromaHeight] = [(width + 1) >> 1, (height + 1) >> 1]
  const [scaleX, scaleY] = [width / target.width, height / target.height]
  const count = Math.ceil(target.width / STEP) * STEP
  const line = 4 * count
  const columns = (index: number): Columns => ({
    first: 2 * index * line,
    across: (2 * index + 1) * line,
  })
  const [luma, chroma] = [columns(0), columns(1)]
  writeColumns(kernel, luma, taps(width, target.width, 1), count)
  writeColumns(kernel, chroma, taps(chromaWidth, target.width, 1, scaleX / 2), count)
  return {
    sizes,
    lumaRows: taps(height, target.height, yStride),
    chromaRows: taps(chromaHeight, target.height, uvStride, scaleY / 2, -0.25),
    luma,
    chroma,
    count,
    y: 4 * line,
    u: 5 * line,
    v: 6 * line,
    rgb: 7 * line,
  }
}

function writeColumns(
  { memory }: ResizeKernel,
  { first, across }: Columns,
  table: Taps,
  count: number,
): void {
  const offsets = new Int32Array(memory.buffer, first, count).fill(0)
  offsets.set(table.first)
  const weights = new Int16Array(memory.buffer, across, 2 * count).fill(0)
  for (const [i, right] of table.weight.entries()) weights.set([ONE - right, right], 2 * i)
}

/** Where the planes lie in the kernel's memory; what lies elsewhere is copied there. */
function addresses(kernel: ResizeKernel, { y, u, v }: Yuv420): readonly [number, number, number] {
  if (y.buffer === kernel.memory.buffer) return [y.byteOffset, u.byteOffset, v.byteOffset]
  const at = [PLANES, PLANES + y.length, PLANES + y.length + u.length] as const
  grow(kernel, at[2] + v.length + SLACK)
  const all = new Uint8Array(kernel.memory.buffer)
  all.set(y, at[0])
  all.set(u, at[1])
  all.set(v, at[2])
  return at
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
