import { AgentError } from '../core/errors.ts'
import type { SourceInfo } from '../core/stages.ts'
import type { StreamInput, VideoFrame, VideoInput, VideoOptions, VideoReader } from './engine.ts'
import { type ReplayedBytes, replayedBytes } from './ffmpeg-bytes.ts'
import {
  type DecoderKind,
  decodeInputOptions,
  decodeOutputOptions,
  inSoftware,
} from './ffmpeg-decoding.ts'
import { pooledFrame } from './ffmpeg-frame.ts'
import { type ProbedVideo, probeVideo } from './ffmpeg-probe.ts'
import type { FfmpegProgram, ProgramEnd, ProgramRun } from './ffmpeg-program.ts'
import { fileBytes, lookedAnew } from './file-bytes.ts'
import { indexFirst } from './mp4-index.ts'
import { type PicturePool, picturePool } from './picture-pool.ts'
import { type PictureQueue, pictureQueue } from './picture-queue.ts'

/** Chooses how a video is decoded. @throws AgentError BACKEND_UNAVAILABLE */
export type ChooseDecoder = (wanted: string, video: ProbedVideo) => Promise<DecoderKind>

/** How a video is read: where from, by what, and as what its caller wants. */
interface Access {
  readonly program: FfmpegProgram
  readonly source: StreamInput
  readonly choose: ChooseDecoder
  readonly options: VideoOptions
}

/** What every opening of one video shares. */
interface Video {
  readonly program: FfmpegProgram
  /** The source, such that it can be read straight through. */
  readonly input: StreamInput
  readonly options: VideoOptions
  readonly probed: ProbedVideo
  readonly decoder: DecoderKind
  readonly pool: PicturePool
}

/** One run of ffmpeg through the video. */
interface Opening {
  readonly bytes: ReplayedBytes
  readonly queue: PictureQueue
  readonly run: ProgramRun
}

/** A video that the ffmpeg program decodes, as far ahead as two pictures. */
export class FfmpegReader implements VideoReader {
  readonly #access: Access
  #video: Video
  #opening: Opening | undefined
  #taken = 0

  private constructor(access: Access, { video, bytes }: Looked) {
    this.#access = access
    this.#video = video
    this.#opening = start(video, bytes)
    video.options.signal.addEventListener('abort', this.#stop)
    if (video.options.signal.aborted) this.#stop()
  }

  /** Opens `source`; on failure nothing of it stays open. */
  static async open(
    program: FfmpegProgram,
    source: VideoInput,
    options: VideoOptions,
    choose: ChooseDecoder,
  ): Promise<FfmpegReader> {
    const given = source.kind === 'file' ? await fileBytes(source) : source
    const access = { program, source: given, choose, options }
    try {
      return new FfmpegReader(access, await look(access))
    } catch (error) {
      await given.close()
      throw options.signal.aborted ? AgentError.from(options.signal.reason) : error
    }
  }

  get info(): SourceInfo {
    return this.#video.probed.info
  }

  async next(): Promise<VideoFrame | undefined> {
    const opening = this.#demandOpen()
    const { options, pool } = this.#video
    const next = options.signal.aborted ? undefined : await opening.queue.next()
    if (options.signal.aborted) {
      if (next) pool.giveBack(next.picture)
      return undefined
    }
    if (next) {
      this.#taken += 1
      return { frame: pooledFrame(pool, next.picture), pts: next.pts }
    }
    const end = await opening.run.ended
    if (options.signal.aborted) return undefined
    if (this.#mayTryInSoftware(opening, end)) {
      this.#video = { ...this.#video, decoder: inSoftware }
      await this.rewind()
      return await this.next()
    }
    this.#checkEnd(opening, end)
    return undefined
  }

  /** Goes back, or looks at the file anew where it is another one now. */
  async rewind(): Promise<void> {
    const opening = this.#demandOpen()
    this.#opening = undefined
    await stop(opening)
    this.#taken = 0
    const { source, options } = this.#access
    const changed = await source.changed?.(options.signal)
    const { video, bytes } = changed
      ? await lookedAnew(() => look(this.#access))
      : again(this.#video)
    this.#video = video
    this.#opening = start(video, bytes)
    if (options.signal.aborted) this.#stop()
  }

  async close(): Promise<void> {
    const opening = this.#opening
    this.#opening = undefined
    this.#video.options.signal.removeEventListener('abort', this.#stop)
    if (opening) await stop(opening)
    await this.#access.source.close()
  }

  readonly #stop = (): void => {
    this.#opening?.queue.clear()
    this.#opening?.run.kill()
  }

  /** Hardware that nobody asked for by name may turn out not to take this very video. */
  #mayTryInSoftware({ bytes }: Opening, { problem }: ProgramEnd): boolean {
    const { options, decoder } = this.#video
    const automatic = (options.decoder ?? 'auto') === 'auto' && decoder !== inSoftware
    return automatic && problem !== undefined && this.#taken === 0 && !bytes.failure()
  }

  /** A program that gives up after pictures came met damage at the end: what is there has been shown. */
  #checkEnd({ bytes }: Opening, { problem, crashed }: ProgramEnd): void {
    const failure = bytes.failure()
    if (failure !== undefined) throw failure
    if (problem === undefined) return
    const { input, options } = this.#video
    const error = decodeProblem(`cannot read on ${input.name}`, problem)
    if (crashed || this.#taken === 0) throw error
    options.skipped?.(error)
  }

  #demandOpen(): Opening {
    if (this.#opening) return this.#opening
    throw new AgentError('INTERNAL', `${this.#video.input.name} was read after it was closed`)
  }
}

/** A video, and its bytes from the start. */
interface Looked {
  readonly video: Video
  readonly bytes: ReplayedBytes
}

/** Finds out what is in the source. */
async function look({ program, source, choose, options }: Access): Promise<Looked> {
  const input = await indexFirst(source)
  const bytes = replayedBytes(input, options.signal)
  const probed = await probeVideo(program, bytes, input.name, options)
  const decoder = await choose(options.decoder ?? 'auto', probed)
  const pool = picturePool(probed.width, probed.height)
  return { video: { program, input, options, probed, decoder, pool }, bytes }
}

function again(video: Video): Looked {
  return { video, bytes: replayedBytes(video.input, video.options.signal) }
}

function start(video: Video, bytes: ReplayedBytes): Opening {
  const { program, options, probed, decoder, pool, input } = video
  const queue = pictureQueue(pool)
  const run = program.run({
    inputOptions: decodeInputOptions(decoder, options),
    input: bytes.onlyOnceMore(),
    outputOptions: decodeOutputOptions(decoder, probed, program.version),
    output: queue.stream,
    complaint(line) {
      const skipped = skippedPicture.exec(line)
      if (skipped) {
        options.skipped?.(decodeProblem(`cannot decode a packet of ${input.name}`, line))
      }
    },
  })
  void run.ended.then(() => queue.end())
  return { bytes, queue, run }
}

/** How ffmpeg says that it leaves out a packet; what else it complains of, it conceals. */
const skippedPicture = /Error while decoding stream|Error submitting (a )?packet to (the )?decoder/

async function stop({ queue, run }: Opening): Promise<void> {
  queue.clear()
  run.kill()
  await run.ended
}

function decodeProblem(attempt: string, why: string): AgentError {
  return new AgentError('SOURCE_DECODE', `${attempt}: ${why}`)
}
