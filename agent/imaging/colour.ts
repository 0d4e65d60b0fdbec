import type { Yuv420 } from '../core/stages.ts'

/** Which weights make luma from RGB: BT.709 (HD video, our own pictures) or BT.601 (SD video, JPEG). */
export type ColourMatrix = 'bt709' | 'bt601'

/** How YUV bytes are meant: `limited` range uses 16–235, `full` (JPEG, many webcams) 0–255. */
export interface YuvColour {
  readonly matrix: ColourMatrix
  readonly range: 'limited' | 'full'
}

/** Shares of red and blue in luma (ITU-R BT.709-6 item 3.2, BT.601-7 item 2.5.1). */
const LUMA: Record<ColourMatrix, { readonly red: number; readonly blue: number }> = {
  bt709: { red: 0.2126, blue: 0.0722 },
  bt601: { red: 0.299, blue: 0.114 },
}

/** Factors of YUV → RGB on bytes: `red = luma × (Y − black) + redV × (V − 128)`, and so on. */
export interface YuvDecoder {
  readonly black: number
  readonly luma: number
  readonly redV: number
  readonly greenU: number
  readonly greenV: number
  readonly blueU: number
}

/** The factors that turn YUV bytes of `colour` into RGB bytes. */
export function yuvDecoder({ matrix, range }: YuvColour): YuvDecoder {
  const { red, blue } = LUMA[matrix]
  const green = 1 - red - blue
  const full = range === 'full'
  const redV = 2 * (1 - red) * (full ? 1 : 255 / 224)
  const blueU = 2 * (1 - blue) * (full ? 1 : 255 / 224)
  return {
    black: full ? 0 : 16,
    luma: full ? 1 : 255 / 219,
    redV,
    greenU: (-blueU * blue) / green,
    greenV: (-redV * red) / green,
    blueU,
  }
}

/** Rows of the limited-range RGB → YUV matrix, without the offsets 16 and 128. */
function yuvEncoder(matrix: ColourMatrix) {
  const { red, blue } = LUMA[matrix]
  const luma = [red, 1 - red - blue, blue] as const
  const row = (own: readonly [number, number, number], rest: number) => {
    const scale = 224 / 255 / (2 * rest)
    return [
      (own[0] - luma[0]) * scale,
      (own[1] - luma[1]) * scale,
      (own[2] - luma[2]) * scale,
    ] as const
  }
  const span = 219 / 255
  return {
    y: [luma[0] * span, luma[1] * span, luma[2] * span] as const,
    u: row([0, 0, 1], 1 - blue),
    v: row([1, 0, 0], 1 - red),
  }
}

/** One RGB colour (bytes) as `[Y, U, V]`, limited range. */
export function rgbToYuv(
  [r, g, b]: readonly [number, number, number],
  matrix: ColourMatrix = 'bt709',
): [number, number, number] {
  const { y, u, v } = yuvEncoder(matrix)
  return [
    Math.round(16 + y[0] * r + y[1] * g + y[2] * b),
    Math.round(128 + u[0] * r + u[1] * g + u[2] * b),
    Math.round(128 + v[0] * r + v[1] * g + v[2] * b),
  ]
}

/** The inverse of `rgbToYuv`, as bytes. */
export function yuvToRgb(
  [y, u, v]: readonly [number, number, number],
  matrix: ColourMatrix = 'bt709',
): [number, number, number] {
  const { black, luma, redV, greenU, greenV, blueU } = yuvDecoder({ matrix, range: 'limited' })
  const light = luma * (y - black)
  const byte = (value: number) => Math.min(255, Math.max(0, Math.round(value)))
  return [
    byte(light + redV * (v - 128)),
    byte(light + greenU * (u - 128) + greenV * (v - 128)),
    byte(light + blueU * (u - 128)),
  ]
}

/**
 * A still picture (RGB, 8 bit, interleaved, no padding) in YUV 4:2:0, limited range. Each chroma
 * sample is the mean of its 2×2 pixels; at an odd edge, of those that exist.
 */
export function rgbToYuv420(
  rgb: Uint8Array,
  width: number,
  height: number,
  matrix: ColourMatrix = 'bt709',
): Yuv420 {
  const uvStride = (width + 1) >> 1
  const uvRows = (height + 1) >> 1
  const picture = {
    width,
    height,
    y: new Uint8Array(width * height),
    u: new Uint8Array(uvStride * uvRows),
    v: new Uint8Array(uvStride * uvRows),
    yStride: width,
    uvStride,
  }
  const encoder = yuvEncoder(matrix)
  writeLuma(rgb, picture.y, encoder.y)
  writeChroma(rgb, picture, encoder.u, encoder.v)
  return picture
}

type Row = readonly [number, number, number]

function writeLuma(rgb: Uint8Array, y: Uint8Array, [red, green, blue]: Row): void {
  for (let i = 0, from = 0; i < y.length; i++, from += 3) {
    const r = rgb[from] as number
    const g = rgb[from + 1] as number
    const b = rgb[from + 2] as number
    y[i] = red * r + green * g + blue * b + 16.5
  }
}

function writeChroma(rgb: Uint8Array, picture: Yuv420, u: Row, v: Row): void {
  const { width, height, uvStride } = picture
  for (let y = 0; y < height; y += 2) {
    const below = y + 1 < height ? width * 3 : 0
    let to = (y >> 1) * uvStride
    for (let x = 0; x < width; x += 2, to++) {
      const a = (y * width + x) * 3
      const b = x + 1 < width ? a + 3 : a
      const c = a + below
      const d = b + below
      const red = mean(rgb, a, b, c, d)
      const green = mean(rgb, a + 1, b + 1, c + 1, d + 1)
      const blue = mean(rgb, a + 2, b + 2, c + 2, d + 2)
      picture.u[to] = u[0] * red + u[1] * green + u[2] * blue + 128.5
      picture.v[to] = v[0] * red + v[1] * green + v[2] * blue + 128.5
    }
  }
}

function mean(bytes: Uint8Array, a: number, b: number, c: number, d: number): number {
  const sum =
    (bytes[a] as number) + (bytes[b] as number) + (bytes[c] as number) + (bytes[d] as number)
  return sum / 4
}

/** The inverse of `rgbToYuv420`: RGB, 8 bit, interleaved, no padding. Each chroma sample covers its 2×2 pixels. */
export function yuv420ToRgb(picture: Yuv420, matrix: ColourMatrix = 'bt709'): Uint8Array {
  const { width, height } = picture
  const rgb = new Uint8ClampedArray(width * height * 3)
  const decoder = yuvDecoder({ matrix, range: 'limited' })
  for (let y = 0; y < height; y++) decodeRow(picture, y, rgb, decoder)
  return new Uint8Array(rgb.buffer)
}

function decodeRow(
  picture: Yuv420,
  row: number,
  rgb: Uint8ClampedArray,
  { black, luma, redV, greenU, greenV, blueU }: YuvDecoder,
): void {
  const { width, y, u, v } = picture
  const fromY = row * picture.yStride
  const fromUv = (row >> 1) * picture.uvStride
  let to = row * width * 3
  for (let x = 0; x < width; x++) {
    const light = luma * ((y[fromY + x] as number) - black)
    const cu = (u[fromUv + (x >> 1)] as number) - 128
    const cv = (v[fromUv + (x >> 1)] as number) - 128
    rgb[to++] = light + redV * cv
    rgb[to++] = light + greenU * cu + greenV * cv
    rgb[to++] = light + blueU * cu
  }
}
