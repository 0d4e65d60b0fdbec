import type { MediaEngine } from './engine.ts'
import { type FfmpegCodecs, ffmpegCodecs } from './ffmpeg-codecs.ts'
import { type FfmpegProgram, loadFfmpeg } from './ffmpeg-program.ts'
import { ffmpegPush } from './ffmpeg-push.ts'
import { FfmpegReader } from './ffmpeg-reader.ts'

/** The program, and what works by it. */
interface Loaded {
  readonly program: FfmpegProgram
  readonly codecs: FfmpegCodecs
}

/**
 * The ffmpeg program of this machine, which has the codecs of its hardware. It is looked for at the first
 * call. Each video and each encoder is a process of its own, which ends with this one.
 */
export function ffmpegEngine(load: () => Promise<FfmpegProgram> = loadFfmpeg): MediaEngine {
  let loading: Promise<Loaded> | undefined
  function loaded(): Promise<Loaded> {
    loading ??= load().then(
      (program) => ({ program, codecs: ffmpegCodecs(program) }),
      (error: unknown) => {
        loading = undefined
        throw error
      },
    )
    return loading
  }

  return {
    name: 'ffmpeg',
    async open(input, options) {
      const { program, codecs } = await loaded()
      return await FfmpegReader.open(program, input, options, codecs.decoder)
    },
    encode: async (options) => await (await loaded()).codecs.encoder(options),
    push: async (url, options) => ffmpegPush((await loaded()).program, url, options),
    codecs: async () => await (await loaded()).codecs.all(),
  }
}
