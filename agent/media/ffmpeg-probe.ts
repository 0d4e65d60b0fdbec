import { AgentError } from '../core/errors.ts'
import type { SourceInfo } from '../core/stages.ts'
import type { VideoOptions } from './engine.ts'
import type { ReplayedBytes } from './ffmpeg-bytes.ts'
import type { FfmpegProgram, ProbedStream } from './ffmpeg-program.ts'
import { formatWhitelist, isContainer, refusedPlaylist } from './formats.ts'
import { sniff } from './sniff.ts'

/** What has to be known of a video to decode it. */
export interface ProbedVideo {
  /** Its number in the container. */
  readonly index: number
  readonly codec: string
  readonly pixelFormat: string
  /** FFmpeg's name of the colour matrix; `unknown` where the video does not say. */
  readonly matrix: string
  readonly fullRange: boolean
  /** As it is displayed. */
  readonly width: number
  readonly height: number
  /** As it is stored: what colours an unnamed matrix means goes by it. */
  readonly storedHeight: number
  readonly info: SourceInfo
}

/** FFmpeg gets bytes only: no protocol to open anything by, and no demuxer that would. */
export const bytesOnly = ['-protocol_whitelist', 'pipe', '-format_whitelist', formatWhitelist]

/**
 * Finds the video in `bytes`, of which only the start is read. Sizes are checked before anything is
 * decoded. @throws AgentError SOURCE_FORBIDDEN, SOURCE_UNSUPPORTED, SOURCE_DECODE, LIMIT_EXCEEDED, and
 * what reading failed with
 */
export async function probeVideo(
  program: FfmpegProgram,
  bytes: ReplayedBytes,
  name: string,
  { maxPixels, signal }: VideoOptions,
): Promise<ProbedVideo> {
  const head = await bytes.head()
  const early = bytes.failure()
  if (early !== undefined) throw early
  if (sniff(head) === 'playlist') throw refusedPlaylist(name)
  const options = [...bytesOnly, '-max_pixels', String(maxPixels)]
  const streams = await program.probe(bytes.again(), options, signal).catch((error: Error) => {
    throw bytes.failure() ?? probeProblem(name, error.message, maxPixels)
  })
  const videos = streams.filter(({ codec_type }) => codec_type === 'video')
  for (const video of videos) checkSize(video, name, maxPixels)
  const video = videos.find(isMoving)
  if (video) return described(video)
  const failure = bytes.failure()
  throw failure ?? new AgentError('SOURCE_UNSUPPORTED', `${name} has no video that can be decoded`)
}

function isMoving({ width, pix_fmt, disposition }: ProbedStream): boolean {
  return (width ?? 0) > 0 && pix_fmt !== undefined && disposition?.attached_pic !== 1
}

function checkSize({ width = 0, height = 0 }: ProbedStream, name: string, maxPixels: number): void {
  if (width * height > maxPixels) throw tooLarge(name, `${width}×${height}`, maxPixels)
}

function tooLarge(name: string, size: string, maxPixels: number): AgentError {
  return new AgentError(
    'LIMIT_EXCEEDED',
    `${name} has ${size} pixels; allowed are ${maxPixels} in all (limits.maxPixels)`,
  )
}

function described(stream: ProbedStream): ProbedVideo {
  const turns = stream.side_data_list?.map(({ rotation = 0 }) => Math.abs(rotation)) ?? []
  const quarterTurn = turns.some((degrees) => degrees % 180 === 90)
  const stored = [stream.width ?? 0, stream.height ?? 0] as const
  const [width, height] = quarterTurn ? [stored[1], stored[0]] : stored
  const pixelFormat = stream.pix_fmt ?? 'unknown'
  const fps = rateOf(stream.avg_frame_rate) ?? rateOf(stream.r_frame_rate)
  return {
    index: stream.index,
    codec: stream.codec_name ?? 'unknown',
    pixelFormat,
    matrix: stream.color_space ?? 'unknown',
    fullRange: stream.color_range === 'pc' || pixelFormat.startsWith('yuvj'),
    width,
    height,
    storedHeight: stored[1],
    info: { width, height, ...(fps === undefined ? {} : { fps }) },
  }
}

/** `30000/1001`; nothing for `0/0`. */
function rateOf(text = ''): number | undefined {
  const [numerator = 0, denominator = 0] = text.split('/').map(Number)
  return numerator > 0 && denominator > 0 ? numerator / denominator : undefined
}

const referring = ['hls', 'concat', 'dash', 'sdp', 'image2', 'imf', 'rtsp']

/** Why FFmpeg did not open it: its size, a format that is not on the whitelist, or damage. */
function probeProblem(name: string, complaints: string, maxPixels: number): AgentError {
  const [, width, height] = /Picture size (\d+)x(\d+) (?:exceeds|is invalid)/.exec(complaints) ?? []
  if (width && height) return tooLarge(name, `${width}×${height}`, maxPixels)
  const format = /\[(\S+) @ [^\]]*\] Format not on whitelist/.exec(complaints)?.[1]
  if (format && referring.some((kind) => format.includes(kind))) return refusedPlaylist(name)
  if (format && !isContainer(format)) {
    return new AgentError(
      'SOURCE_UNSUPPORTED',
      `${name} has the format '${format}', which is not read (allowed: ${formatWhitelist.replaceAll(',', ' ')})`,
    )
  }
  const last = complaints.trim().split('\n').at(-1) ?? ''
  return new AgentError(
    'SOURCE_DECODE',
    `cannot read ${name} as video: ${last.replace(/^pipe:0: /, '')}`,
  )
}
