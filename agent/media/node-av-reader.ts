import type { Frame as AvFrame, Packet } from 'node-av/lib'
import { AgentError } from '../core/errors.ts'
import type { SourceInfo } from '../core/stages.ts'
import type { VideoFrame, VideoInput, VideoOptions, VideoReader } from './engine.ts'
import { fileBytes, lookedAnew } from './file-bytes.ts'
import { decodeProblem } from './node-av-decoder.ts'
import { type DecoderChoice, inSoftware } from './node-av-decoding.ts'
import { videoFrame } from './node-av-frame.ts'
import { framePool } from './node-av-frame-pool.ts'
import { videoIo } from './node-av-io.ts'
import type { CoderParts } from './node-av-library.ts'
import { type Opening, openContainer, type VideoAccess } from './node-av-opening.ts'

/** Errors in a row without a picture at the end of a file, after which it is taken as ended. */
const maxFlushErrors = 64

/**
 * FFmpeg's own loop of packets and frames. node-av's high-level one loses damaged frames, and yields
 * nothing at all on Node 20.
 */
export class NodeAvReader implements VideoReader {
  #info: SourceInfo
  readonly #access: VideoAccess
  #opening: Opening | undefined
  #spare: AvFrame
  #pts = 0

  private constructor(access: VideoAccess, opening: Opening) {
    this.#info = opening.info
    this.#access = access
    this.#opening = opening
    this.#spare = access.frames.lend()
  }

  /** Opens `source`; on failure nothing of it stays open. */
  static async open(
    parts: CoderParts,
    source: VideoInput,
    options: VideoOptions,
    choice: DecoderChoice = inSoftware,
  ): Promise<NodeAvReader> {
    const isFile = source.kind === 'file'
    const bytes = isFile ? await fileBytes(source) : source
    const { av } = parts
    const own = { io: videoIo(av), frames: framePool(av) }
    const access = { ...parts, ...own, bytes, isFile, options, choice }
    try {
      return new NodeAvReader(access, await openContainer(access))
    } catch (error) {
      access.io.free()
      await bytes.close()
      throw error
    }
  }

  async next(): Promise<VideoFrame | undefined> {
    const opening = this.#demandOpen()
    const { av, options } = this.#access
    const { AVERROR_EOF, AVERROR_EAGAIN } = av.constants
    let errors = 0
    while (errors < maxFlushErrors && !options.signal.aborted) {
      const frame = this.#spare
      const code = await receive(opening, frame)
      if (code >= 0) {
        this.#spare = this.#access.frames.lend()
        const plain = await opening.download.of(frame)
        return { frame: videoFrame(opening.context, plain), pts: this.#ptsOf(plain, opening) }
      }
      if (code === AVERROR_EOF) return undefined
      if (code === AVERROR_EAGAIN) await this.#feed(opening)
      else {
        this.#skip('cannot decode a picture', code)
        errors = opening.flushing ? errors + 1 : 0
      }
    }
    return undefined
  }

  get info(): SourceInfo {
    return this.#info
  }

  /** Goes back, or opens the container anew where that would not give the same frames. */
  async rewind(): Promise<void> {
    const opening = this.#demandOpen()
    const { bytes, isFile, options } = this.#access
    this.#pts = 0
    const changed = isFile && (await bytes.changed?.(options.signal))
    if (isFile && !changed && (await startedOver(opening))) return
    this.#opening = undefined
    await opening.close()
    const open = () => openContainer(this.#access)
    this.#opening = changed ? await lookedAnew(open) : await open()
    if (changed) this.#info = this.#opening.info
  }

  async close(): Promise<void> {
    const opening = this.#opening
    this.#opening = undefined
    this.#spare.free()
    this.#access.frames.close()
    await opening?.close()
    this.#access.io.free()
    await this.#access.bytes.close()
  }

  /** Gives the decoder the next packet of the video, or tells it that there are no more. */
  async #feed(opening: Opening): Promise<void> {
    const { packets } = opening
    const packet = await packets.next()
    if (this.#access.options.signal.aborted) return
    if (typeof packet === 'number') {
      await this.#endOfPackets(opening, packet)
      return
    }
    try {
      const sent = await this.#send(opening, packet)
      if (sent < 0) this.#skip('cannot decode a packet', sent)
    } finally {
      packet.unref()
    }
  }

  #send({ codec, decodesAtOnce }: Opening, packet: Packet): number | Promise<number> {
    const elsewhere = () => codec.sendPacket(packet)
    if (!decodesAtOnce) return elsewhere()
    return this.#access.workplace.do(() => codec.sendPacketSync(packet), elsewhere)
  }

  async #endOfPackets(opening: Opening, code: number): Promise<void> {
    const failure = opening.input.failure()
    if (failure !== undefined) throw failure
    if (code !== this.#access.av.constants.AVERROR_EOF) this.#skip('cannot read on', code)
    opening.flushing = true
    await opening.codec.sendPacket(null)
  }

  #skip(attempt: string, code: number): void {
    const { av, options, bytes } = this.#access
    options.skipped?.(decodeProblem(av, `${attempt} of ${bytes.name}`, code))
  }

  /** Seconds on the video's clock; a frame without a time follows the last one. */
  #ptsOf({ bestEffortTimestamp }: AvFrame, { timeBase, info }: Opening): number {
    this.#pts =
      bestEffortTimestamp === this.#access.av.constants.AV_NOPTS_VALUE
        ? this.#pts + 1 / (info.fps ?? 25)
        : (Number(bestEffortTimestamp) * timeBase.num) / timeBase.den
    return this.#pts
  }

  #demandOpen(): Opening {
    if (this.#opening) return this.#opening
    throw new AgentError('INTERNAL', `${this.#access.bytes.name} was read after it was closed`)
  }
}

/**
 * Goes back to the first packet, with all that is open: to open a container anew, and to find out what is in it, takes
 * as long as four pictures, and a new decoder needs new memory. @returns false where the same frames are not sure
 */
async function startedOver(opening: Opening): Promise<boolean> {
  if (!opening.decodesAtOnce || !decodesAsAtFirst(opening)) return false
  opening.codec.flushBuffers()
  opening.flushing = false
  return await opening.packets.restart()
}

/** A video may tell its decoder on the way that it is another one from here on, which would still hold at its start. */
function decodesAsAtFirst({ codec, stream: { codecpar } }: Opening): boolean {
  const { width, height, pixelFormat, profile, level } = codec
  const sameSize = width === codecpar.width && height === codecpar.height
  const sameKind = profile === codecpar.profile && level === codecpar.level
  return sameSize && sameKind && pixelFormat === codecpar.format
}

/**
 * With one thread, libavcodec decodes while it takes a packet, and here only hands the picture over: not
 * worth the way to another thread and back. What is left at the end, and hardware, may take its time.
 */
function receive(
  { codec, decodesAtOnce, flushing }: Opening,
  frame: AvFrame,
): number | Promise<number> {
  return decodesAtOnce && !flushing ? codec.receiveFrameSync(frame) : codec.receiveFrame(frame)
}
