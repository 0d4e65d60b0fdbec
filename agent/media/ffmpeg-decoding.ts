import { softwareDecoder } from './codecs.ts'
import type { VideoOptions } from './engine.ts'
import { bytesOnly, type ProbedVideo } from './ffmpeg-probe.ts'

/** A way to decode, by FFmpeg's options ahead of the input and filters that bring pictures back. */
export interface DecoderKind {
  readonly name: string
  readonly options: readonly string[]
  readonly filters: readonly string[]
}

/** Without hardware. */
export const inSoftware: DecoderKind = { name: softwareDecoder, options: [], filters: [] }

/**
 * The way of that name, one of `Codecs.decoders`, for video of the kind `codec`. Bringing pictures back
 * fails, rather than doing nothing, where FFmpeg decoded in software after all.
 */
export function decoderKind(name: string, codec: string): DecoderKind {
  if (name === 'cuda' || name === 'vaapi') {
    return {
      name,
      options: ['-hwaccel', name, '-hwaccel_output_format', name],
      filters: ['hwdownload', 'format=nv12'],
    }
  }
  if (name === 'qsv' || name === 'v4l2m2m') {
    return { name, options: ['-c:v', `${codec}_${name}`], filters: [] }
  }
  return inSoftware
}

const skipFrame = { all: 'default', nonref: 'noref', key: 'nokey' } as const

/** Ahead of the input. Times stay those of the video; damage ends nothing. */
export function decodeInputOptions(
  decoder: DecoderKind,
  { threads, maxPixels, decode }: VideoOptions,
): string[] {
  return [
    ...['-copyts', ...decoder.options, '-threads', String(threads)],
    ...['-skip_frame', skipFrame[decode], '-max_pixels', String(maxPixels)],
    ...bytesOnly,
  ]
}

/** Every picture with its own time, planar 4:2:0, BT.709, limited range, of one size. */
export function decodeOutputOptions(
  { filters }: DecoderKind,
  video: ProbedVideo,
  version: readonly [number, number],
): string[] {
  const chain = [...filters, scaleFilter(video), 'format=yuv420p']
  return [
    ...['-map', `0:${video.index}`, '-vf', chain.join(',')],
    ...[...everyPicture(version), '-enc_time_base', '1:90000', '-max_error_rate', '1'],
    ...['-c:v', 'rawvideo', '-f', 'nut'],
  ]
}

/** The option has a new name since FFmpeg 5.1. */
export function everyPicture([major, minor]: readonly [number, number]): string[] {
  return [major > 5 || (major === 5 && minor >= 1) ? '-fps_mode' : '-vsync', 'passthrough']
}

/**
 * Does nothing where pictures are as they are wanted. Otherwise names the matrix that the video
 * means: libswscale takes BT.601 for unnamed HD.
 */
function scaleFilter({ width, height, fullRange, ...video }: ProbedVideo): string {
  const size = `scale=${width}:${height}:flags=bilinear`
  const target = 'out_color_matrix=bt709:out_range=limited'
  if (isRgb(video.pixelFormat)) return `${size}:${target}`
  const matrix = matrixOf(video.matrix, video.storedHeight)
  if (matrix === 'bt709' && !fullRange) return size
  return `${size}:in_color_matrix=${matrix}:in_range=${fullRange ? 'full' : 'limited'}:${target}`
}

function isRgb(pixelFormat: string): boolean {
  return /^(gbr|rgb|bgr|argb|abgr|0rgb|0bgr|pal8)/.test(pixelFormat)
}

/** Names of libswscale. Video that does not say has that of its size, as players take it. */
function matrixOf(name: string, height: number): string {
  if (name === 'unknown') return height > 576 ? 'bt709' : 'smpte170m'
  if (name === 'bt470bg') return 'bt470'
  if (name.startsWith('bt2020')) return 'bt2020'
  return ['smpte170m', 'fcc', 'smpte240m'].includes(name) ? name : 'bt709'
}
