import type { SharpOptions, Sharp as SharpPicture } from 'sharp'
import { AgentError } from '../core/errors.ts'
import type { PixelBudget } from '../core/pixel-budget.ts'
import type { Frame, Yuv420 } from '../core/stages.ts'
import { yuv420ToRgb } from '../imaging/colour.ts'
import type { RgbPicture } from '../imaging/resize.ts'
import { refusedPlaylist } from './formats.ts'
import { rgbFrame } from './rgb-frame.ts'
import { isStill, sniff } from './sniff.ts'

/** How a still picture is decoded. */
export interface StillOptions {
  readonly maxPixels: number
  /** Where the bytes come from, for messages. */
  readonly name?: string
  /** Where it waits for room before it is decoded, which it leaves when its frame is released. */
  readonly budget?: PixelBudget
}

type Sharp = typeof import('sharp')

const decodeSeconds = 20

/**
 * Decodes a JPEG, PNG, WebP, AVIF or GIF (its first picture): upright by EXIF, in sRGB, transparent
 * parts black.
 * @throws AgentError SOURCE_DECODE, SOURCE_UNSUPPORTED, SOURCE_FORBIDDEN (a playlist), LIMIT_EXCEEDED
 */
export async function decodeStill(bytes: Uint8Array, options: StillOptions): Promise<Frame> {
  const { name = 'the picture', maxPixels, budget } = options
  checkKind(bytes, name)
  const sharp = await loadSharp()
  const picture = sharp(bytes, { ...inputOptions, limitInputPixels: maxPixels })
  let leave: (() => void) | undefined
  try {
    leave = await budget?.take(Math.min(await pixelsOf(picture), maxPixels))
    const { data, info } = await picture
      .autoOrient()
      .toColourspace('srgb')
      .flatten({ background: '#000' })
      .removeAlpha()
      .timeout({ seconds: decodeSeconds })
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    const { width, height, channels } = info
    return rgbFrame({ width, height, data: inRgb(data, channels) }, leave)
  } catch (error) {
    leave?.()
    throw stillProblem(error, name, maxPixels)
  }
}

async function pixelsOf(picture: SharpPicture): Promise<number> {
  const { width, height } = await picture.metadata()
  return width * height
}

/** `picture` as JPEG bytes; `quality` from 1 to 100. */
export async function encodeJpeg(
  picture: Yuv420 | RgbPicture,
  quality: number,
): Promise<Uint8Array> {
  return await (await raw(picture)).jpeg({ quality }).toBuffer()
}

/** `picture` as PNG bytes: every pixel as it is. */
export async function encodePng(picture: RgbPicture): Promise<Uint8Array> {
  return await (await raw(picture)).png().toBuffer()
}

async function raw(picture: Yuv420 | RgbPicture): Promise<SharpPicture> {
  const sharp = await loadSharp()
  const { width, height } = picture
  const data = 'data' in picture ? picture.data : yuv420ToRgb(picture)
  return sharp(data, { raw: { width, height, channels: 3 } })
}

const inputOptions: SharpOptions = { failOn: 'error', animated: false, page: 0, pages: 1 }

function checkKind(bytes: Uint8Array, name: string): void {
  const kind = sniff(bytes)
  if (isStill(kind)) return
  if (kind === 'playlist') throw refusedPlaylist(name)
  const found = { svg: 'an SVG drawing', video: 'a video', unknown: 'no picture' }[
    kind as 'unknown'
  ]
  throw new AgentError(
    kind === 'unknown' ? 'SOURCE_DECODE' : 'SOURCE_UNSUPPORTED',
    `${name} is ${found}; allowed are JPEG, PNG, WebP, AVIF and GIF`,
  )
}

/** Grey pictures come with one channel. */
function inRgb(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data
  const rgb = new Uint8Array((data.length / channels) * 3)
  for (let from = 0, to = 0; from < data.length; from += channels, to += 3) {
    rgb.fill(data[from] ?? 0, to, to + 3)
  }
  return rgb
}

function stillProblem(error: unknown, name: string, maxPixels: number): AgentError {
  const reason = error instanceof Error ? error.message : String(error)
  if (/pixel limit/i.test(reason)) {
    return new AgentError(
      'LIMIT_EXCEEDED',
      `${name} has more than the ${maxPixels} pixels that are allowed (limits.maxPixels)`,
      { cause: error },
    )
  }
  return new AgentError('SOURCE_DECODE', `cannot decode ${name}: ${reason}`, { cause: error })
}

async function loadSharp(): Promise<Sharp['default']> {
  const { default: sharp } = await import('sharp')
  return sharp
}
