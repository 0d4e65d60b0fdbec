import type { Frame as AvFrame, CodecContext, Packet, Stream } from 'node-av/lib'
import type { SourceInfo } from '../core/stages.ts'
import type { StreamInput, VideoFrame, VideoInput, VideoOptions, VideoReader } from './engine.ts'
import { fileBytes } from './file-bytes.ts'
import { pixelConverter } from './node-av-convert.ts'
import { decodeProblem, openVideo } from './node-av-decoder.ts'
import { type VideoContext, videoFrame } from './node-av-frame.ts'
import { type OpenInput, openInput } from './node-av-input.ts'
import type { NodeAv } from './node-av-library.ts'
import { swapsAxes, turnOf } from './orientation.ts'

/** One opening of the container, with its decoder. */
interface Opening {
  readonly input: OpenInput
  readonly stream: Stream
  readonly codec: CodecContext
  readonly packet: Packet
  readonly context: VideoContext
  /** Whether the last packet was given to the decoder. */
  flushing: boolean
}

/** Errors in a row without a picture at the end of a file, after which it is taken as ended. */
const maxFlushErrors = 64

/**
 * FFmpeg's own loop of packets and frames. node-av's high-level one loses damaged frames, and yields
 * nothing at all on Node 20.
 */
export class NodeAvReader implements VideoReader {
  readonly #av: NodeAv
  readonly #bytes: StreamInput
  readonly #options: VideoOptions
  #opening: Opening
  #spare: AvFrame
  #pts = 0

  private constructor(av: NodeAv, bytes: StreamInput, options: VideoOptions, opening: Opening) {
    this.#av = av
    this.#bytes = bytes
    this.#options = options
    this.#opening = opening
    this.#spare = emptyFrame(av)
  }

  /** Opens `source`; on failure nothing of it stays open. */
  static async open(av: NodeAv, source: VideoInput, options: VideoOptions): Promise<NodeAvReader> {
    const bytes = source.kind === 'file' ? await fileBytes(source) : source
    try {
      return new NodeAvReader(av, bytes, options, await openContainer(av, bytes, options))
    } catch (error) {
      await bytes.close()
      throw error
    }
  }

  get info(): SourceInfo {
    return infoOf(this.#opening)
  }

  async next(): Promise<VideoFrame | undefined> {
    const { AVERROR_EOF } = this.#av.constants
    const { codec, context } = this.#opening
    let errors = 0
    while (errors < maxFlushErrors && !this.#options.signal.aborted) {
      const frame = this.#spare
      const code = await codec.receiveFrame(frame)
      if (code >= 0) {
        this.#spare = emptyFrame(this.#av)
        return { frame: videoFrame(context, frame), pts: this.#ptsOf(frame) }
      }
      if (code === AVERROR_EOF) return undefined
      if (code === this.#av.constants.AVERROR_EAGAIN) await this.#feed()
      else {
        this.#skip('cannot decode a picture', code)
        errors = this.#opening.flushing ? errors + 1 : 0
      }
    }
    return undefined
  }

  /** Opens the file anew: unlike a seek, this gives the same frames whatever the container. */
  async rewind(): Promise<void> {
    await closeContainer(this.#opening)
    this.#opening = await openContainer(this.#av, this.#bytes, this.#options)
  }

  async close(): Promise<void> {
    this.#spare.free()
    await closeContainer(this.#opening)
    await this.#bytes.close()
  }

  /** Gives the decoder the next packet of the video, or tells it that there are no more. */
  async #feed(): Promise<void> {
    const { input, stream, codec, packet } = this.#opening
    const keysOnly = this.#options.decode === 'key'
    while (!this.#options.signal.aborted) {
      const code = await input.format.readFrame(packet)
      if (code === this.#av.constants.AVERROR_EAGAIN) continue
      if (code < 0) return await this.#endOfPackets(code)
      try {
        if (packet.streamIndex !== stream.index || (keysOnly && !packet.isKeyframe)) continue
        const sent = await codec.sendPacket(packet)
        if (sent < 0) this.#skip('cannot decode a packet', sent)
        return
      } finally {
        packet.unref()
      }
    }
  }

  async #endOfPackets(code: number): Promise<void> {
    const failure = this.#opening.input.failure()
    if (failure !== undefined) throw failure
    if (code !== this.#av.constants.AVERROR_EOF) this.#skip('cannot read on', code)
    this.#opening.flushing = true
    await this.#opening.codec.sendPacket(null)
  }

  #skip(attempt: string, code: number): void {
    const { name } = this.#opening.input
    this.#options.skipped?.(decodeProblem(this.#av, `${attempt} of ${name}`, code))
  }

  /** Seconds on the video's clock; a frame without a time follows the last one. */
  #ptsOf({ bestEffortTimestamp }: AvFrame): number {
    const { stream } = this.#opening
    const { num, den } = stream.timeBase
    this.#pts =
      bestEffortTimestamp === this.#av.constants.AV_NOPTS_VALUE
        ? this.#pts + 1 / (infoOf(this.#opening).fps ?? 25)
        : (Number(bestEffortTimestamp) * num) / den
    return this.#pts
  }
}

async function openContainer(
  av: NodeAv,
  bytes: StreamInput,
  options: VideoOptions,
): Promise<Opening> {
  const input = await openInput(av, bytes, options.signal)
  try {
    const { stream, codec } = await openVideo(av, input, options)
    const matrix = stream.codecpar.getCodedSideData(av.constants.AV_PKT_DATA_DISPLAYMATRIX)
    const packet = new av.Packet()
    packet.alloc()
    const context = { av, converter: pixelConverter(av), turn: turnOf(matrix) }
    return { input, stream, codec, packet, context, flushing: false }
  } catch (error) {
    await input.close()
    throw error
  }
}

async function closeContainer({ input, codec, packet, context }: Opening): Promise<void> {
  context.converter.close()
  packet.free()
  codec.freeContext()
  await input.close()
}

function infoOf({ stream, context }: Opening): SourceInfo {
  const { width, height } = stream.codecpar
  const { num, den } = stream.avgFrameRate.num > 0 ? stream.avgFrameRate : stream.rFrameRate
  const swapped = context.turn !== undefined && swapsAxes(context.turn)
  return {
    width: swapped ? height : width,
    height: swapped ? width : height,
    ...(num > 0 && den > 0 ? { fps: num / den } : {}),
  }
}

function emptyFrame(av: NodeAv): AvFrame {
  const frame = new av.Frame()
  frame.alloc()
  return frame
}
