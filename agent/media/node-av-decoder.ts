import type { CodecContext, Stream } from 'node-av/lib'
import { AgentError } from '../core/errors.ts'
import type { VideoOptions } from './engine.ts'
import { type DecoderChoice, type Decoding, decodingBy } from './node-av-decoding.ts'
import type { Download } from './node-av-download.ts'
import type { OpenInput } from './node-av-input.ts'
import type { NodeAv } from './node-av-library.ts'

/** The video stream of a container, with an open decoder. */
export interface VideoStream {
  readonly stream: Stream
  readonly codec: CodecContext
  /** Where its pictures come from; closed after `codec`. */
  readonly download: Download
}

/**
 * Finds the video in `input` and opens its decoder. Sizes are checked before anything is decoded.
 * @throws AgentError SOURCE_UNSUPPORTED, SOURCE_DECODE, LIMIT_EXCEEDED, BACKEND_UNAVAILABLE
 */
export async function openVideo(
  av: NodeAv,
  input: OpenInput,
  options: VideoOptions,
  choice: DecoderChoice,
): Promise<VideoStream> {
  checkSizes(av, input, options.maxPixels)
  await findStreamInfo(av, input)
  checkSizes(av, input, options.maxPixels)
  const { streamIndex, decoder } = input.format.findBestStream(
    av.constants.AVMEDIA_TYPE_VIDEO,
    -1,
    -1,
    true,
  )
  const stream = input.format.streams[streamIndex]
  if (!stream || !decoder) {
    throw new AgentError('SOURCE_UNSUPPORTED', `${input.name} has no video that can be decoded`)
  }
  discardOthers(av, input, stream)
  const decoding = decodingBy(av, decoder, choice)
  await openDecoder(av, { input, stream, decoding }, options)
  return { stream, codec: decoding.context, download: decoding.download }
}

function checkSizes(av: NodeAv, input: OpenInput, maxPixels: number): void {
  for (const { codecpar } of input.format.streams) {
    if (codecpar.codecType !== av.constants.AVMEDIA_TYPE_VIDEO) continue
    const { width, height } = codecpar
    if (width * height <= maxPixels) continue
    throw new AgentError(
      'LIMIT_EXCEEDED',
      `${input.name} has ${width}×${height} pixels; allowed are ${maxPixels} in all (limits.maxPixels)`,
    )
  }
}

async function findStreamInfo(av: NodeAv, input: OpenInput): Promise<void> {
  const code = await input.format.findStreamInfo(null)
  const failure = input.failure()
  if (failure !== undefined) throw failure
  if (code < 0) throw decodeProblem(av, `cannot find the streams of ${input.name}`, code)
}

/** Sound and the like need not even be read. */
function discardOthers(av: NodeAv, input: OpenInput, video: Stream): void {
  for (const stream of input.format.streams) {
    if (stream.index !== video.index) stream.discard = av.constants.AVDISCARD_ALL
  }
}

const skipFrame = { all: 'default', nonref: 'noref', key: 'nokey' } as const

async function openDecoder(
  av: NodeAv,
  chosen: { input: OpenInput; stream: Stream; decoding: Decoding },
  { threads, maxPixels, decode }: VideoOptions,
): Promise<void> {
  const { input, stream, decoding } = chosen
  const { decoder, context, download } = decoding
  const options = av.Dictionary.fromObject({ max_pixels: maxPixels, skip_frame: skipFrame[decode] })
  try {
    context.parametersToContext(stream.codecpar)
    context.pktTimebase = stream.timeBase
    context.threadCount = threads
    const code = await context.open2(decoder, options)
    if (code < 0) throw decodeProblem(av, `cannot open the decoder of ${input.name}`, code)
  } catch (error) {
    context.freeContext()
    download.close()
    throw error
  } finally {
    options.free()
  }
}

/** A SOURCE_DECODE that says what FFmpeg's `code` means. */
export function decodeProblem(av: NodeAv, attempt: string, code: number): AgentError {
  return new AgentError('SOURCE_DECODE', `${attempt}: ${new av.FFmpegError(code).message}`)
}
