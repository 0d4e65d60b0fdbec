import { Readable } from 'node:stream'
import { AgentError } from '../core/errors.ts'
import type { Yuv420 } from '../core/stages.ts'
import type { VideoPacket } from '../core/video.ts'
import { type TriedEngine, trial } from './codec-trial.ts'
import { decoderKind, everyPicture } from './ffmpeg-decoding.ts'
import { FfmpegEncoder } from './ffmpeg-encoder.ts'
import type { FfmpegProgram } from './ffmpeg-program.ts'
import { encoderKind } from './node-av-encoders.ts'
import { picturePool } from './picture-pool.ts'
import { pictureQueue } from './picture-queue.ts'

const decodeMs = 10_000

/** The codecs of the `ffmpeg` program, to be tried out. */
export function ffmpegTrials(program: FfmpegProgram): TriedEngine {
  return {
    async encode(options) {
      const kind = encoderKind(options.encoder)
      if (!kind) throw new AgentError('INTERNAL', `no encoder is called '${options.encoder}'`)
      return FfmpegEncoder.open(program, kind, options)
    },
    decode: (packets, decoder, take) => decode(program, packets, decoder, take),
  }
}

async function decode(
  program: FfmpegProgram,
  packets: readonly VideoPacket[],
  decoder: string,
  take: (picture: Yuv420) => void,
): Promise<void> {
  const { options, filters } = decoderKind(decoder, 'h264')
  const pool = picturePool(trial.width, trial.height)
  const queue = pictureQueue(pool)
  const run = program.run({
    inputOptions: [...options, '-protocol_whitelist', 'pipe', '-f', 'h264'],
    input: Readable.from(packets.map(({ data }) => data)),
    outputOptions: [
      ...['-vf', [...filters, 'format=yuv420p'].join(','), ...everyPicture(program.version)],
      ...['-c:v', 'rawvideo', '-f', 'nut'],
    ],
    output: queue.stream,
  })
  void run.ended.then(() => queue.end())
  const tooLong = setTimeout(() => run.kill(), decodeMs)
  try {
    for (let next = await queue.next(); next; next = await queue.next()) {
      take(next.picture.planes)
      pool.giveBack(next.picture)
    }
  } finally {
    clearTimeout(tooLong)
  }
}
