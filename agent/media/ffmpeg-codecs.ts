import { AgentError } from '../core/errors.ts'
import { decoderWorks, encoderWorks } from './codec-trial.ts'
import { chosenCodecs, provenCodecs, softwareDecoder } from './codecs.ts'
import type { Codecs, EncodeOptions, VideoEncoder } from './engine.ts'
import { type DecoderKind, decoderKind, inSoftware } from './ffmpeg-decoding.ts'
import { FfmpegEncoder } from './ffmpeg-encoder.ts'
import type { ProbedVideo } from './ffmpeg-probe.ts'
import type { FfmpegProgram } from './ffmpeg-program.ts'
import { ffmpegTrials } from './ffmpeg-trials.ts'
import { likelyAccelerations } from './hardware.ts'
import { encoderKind, softwareEncoder } from './node-av-encoders.ts'

/** What works here, tried once, and codecs by name. */
export interface FfmpegCodecs {
  all(): Promise<Codecs>
  /** @throws AgentError BACKEND_UNAVAILABLE */
  encoder(options: EncodeOptions): Promise<VideoEncoder>
  /** @throws AgentError BACKEND_UNAVAILABLE */
  decoder(asked: string, video: ProbedVideo): Promise<DecoderKind>
}

/** Codecs of the ffmpeg program. */
export function ffmpegCodecs(program: FfmpegProgram): FfmpegCodecs {
  let found: Promise<Codecs> | undefined
  const all = () => {
    found ??= provenCodecs(
      {
        encoder: (name) => encoderWorks(ffmpegTrials(program), name),
        decoder: (name) => decoderWorks(ffmpegTrials(program), name),
      },
      [softwareEncoder],
    )
    return found
  }

  async function decoder(asked: string, video: ProbedVideo): Promise<DecoderKind> {
    if (asked === softwareDecoder) return inSoftware
    if (asked === 'auto') {
      // Of anything but plain H.264 it is not known what the hardware does with it.
      const plain = video.codec === 'h264' && /^yuvj?420p$/.test(video.pixelFormat)
      if (!plain || (await likelyAccelerations()).length === 0) return inSoftware
    }
    const [name = softwareDecoder] = chosenCodecs('decoder', asked, (await all()).decoders)
    return decoderKind(name, video.codec)
  }

  return { all, encoder: (options) => openEncoder(program, options, all), decoder }
}

/** The first encoder that opens: hardware may have a limit on sizes, or on how many there are at once. */
async function openEncoder(
  program: FfmpegProgram,
  options: EncodeOptions,
  all: () => Promise<Codecs>,
): Promise<VideoEncoder> {
  const asked = options.encoder
  const named = asked === softwareEncoder
  const names = named ? [asked] : chosenCodecs('encoder', asked, (await all()).encoders)
  let problem: unknown
  for (const name of names) {
    const kind = encoderKind(name)
    if (!kind) continue
    try {
      return await FfmpegEncoder.open(program, kind, options)
    } catch (error) {
      problem ??= error
    }
  }
  throw AgentError.from(problem ?? new Error(`no encoder of ${names.join(' ')}`))
}
