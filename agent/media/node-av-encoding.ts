import type { CodecContext } from 'node-av/lib'
import { AgentError } from '../core/errors.ts'
import { VIDEO_CLOCK } from '../core/video.ts'
import type { EncodeOptions } from './engine.ts'
import { type EncoderKind, pixelFormatOf } from './node-av-encoders.ts'
import { codecNamed, type NodeAv } from './node-av-library.ts'
import { type Upload, uploadFor } from './node-av-upload.ts'

/** An open encoder and the way to it. */
export interface Encoding {
  readonly context: CodecContext
  readonly upload: Upload
}

/** From here on, a second thread is worth that it divides each picture into slices. */
const twoThreadPixels = 2560 * 1440

/** Peaks above the average rate, and how long they may last: enough for key pictures, s. */
const peak = { factor: 1.5, bufferS: 1 }

/** Opens the encoder `kind`. @throws AgentError BACKEND_UNAVAILABLE */
export async function openEncoding(
  av: NodeAv,
  kind: EncoderKind,
  options: EncodeOptions,
): Promise<Encoding> {
  const codec = codecNamed(av, 'encoder', kind.name)
  if (!codec) throw openProblem(kind, options, 'this build of FFmpeg does not have it')
  const context = new av.CodecContext()
  context.allocContext3(codec)
  const dictionary = av.Dictionary.fromObject(kind.options)
  let upload: Upload | undefined
  try {
    describe(av, context, kind, options)
    upload = uploadFor(av, kind, context)
    const code = await context.open2(codec, dictionary)
    if (code < 0) throw openProblem(kind, options, new av.FFmpegError(code).message)
    return { context, upload }
  } catch (error) {
    context.freeContext()
    upload?.close()
    throw error
  } finally {
    dictionary.free()
  }
}

/** Without AV_CODEC_FLAG_GLOBAL_HEADER, encoders put their parameter sets into the stream. */
function describe(
  av: NodeAv,
  context: CodecContext,
  kind: EncoderKind,
  { width, height, fps, bitrate, keyIntervalS }: EncodeOptions,
): void {
  const { AVCOL_RANGE_MPEG, AVCOL_SPC_BT709, AVCOL_PRI_BT709, AVCOL_TRC_BT709 } = av.constants
  context.width = width
  context.height = height
  context.pixelFormat = pixelFormatOf(av, kind)
  context.timeBase = new av.Rational(1, VIDEO_CLOCK)
  context.framerate = new av.Rational(Math.round(fps * 1000), 1000)
  context.bitRate = BigInt(Math.round(bitrate))
  context.rcMaxRate = BigInt(Math.round(bitrate * peak.factor))
  context.rcBufferSize = Math.round(bitrate * peak.bufferS)
  context.gopSize = Math.max(1, Math.round(fps * keyIntervalS))
  context.maxBFrames = 0
  context.threadCount = width * height >= twoThreadPixels ? 2 : 1
  context.colorRange = AVCOL_RANGE_MPEG
  context.colorSpace = AVCOL_SPC_BT709
  context.colorPrimaries = AVCOL_PRI_BT709
  context.colorTrc = AVCOL_TRC_BT709
}

function openProblem({ name }: EncoderKind, options: EncodeOptions, why: string): AgentError {
  const { width, height, fps } = options
  return new AgentError(
    'BACKEND_UNAVAILABLE',
    `cannot open the encoder ${name} for ${width}×${height} at ${fps} pictures a second: ${why}`,
  )
}
