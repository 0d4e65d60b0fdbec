import type { Frame as AvFrame, CodecContext, Packet } from 'node-av/lib'
import { AgentError } from '../core/errors.ts'
import type { Yuv420 } from '../core/stages.ts'
import type { VideoPacket } from '../core/video.ts'
import { accessUnits } from './access-unit.ts'
import type { EncodeOptions, VideoEncoder } from './engine.ts'
import { keyInterval } from './key-interval.ts'
import { type EncoderKind, softwareEncoder } from './node-av-encoders.ts'
import { openEncoding } from './node-av-encoding.ts'
import type { CoderParts, NodeAv } from './node-av-library.ts'
import type { Upload } from './node-av-upload.ts'
import { packedYuv } from './packed-yuv.ts'
import type { Workplace } from './spare-time.ts'

/** Encodes by FFmpeg's low-level interface, one packet for each picture. */
export class NodeAvEncoder implements VideoEncoder {
  readonly name: string
  readonly picture: Yuv420
  readonly #av: NodeAv
  readonly #workplace: Workplace
  readonly #context: CodecContext
  readonly #upload: Upload
  readonly #bytes: Buffer
  readonly #frame: AvFrame
  readonly #packet: Packet
  readonly #isKey
  readonly #inSoftware: boolean
  readonly #unit = accessUnits()
  #owed = 0
  #working: Promise<unknown> = Promise.resolve()
  #closed: Promise<void> | undefined

  private constructor(
    { av, workplace }: CoderParts,
    kind: EncoderKind,
    options: EncodeOptions,
    { context, upload }: { context: CodecContext; upload: Upload },
  ) {
    const { picture, bytes } = packedYuv(options.width, options.height)
    this.name = kind.name
    this.#inSoftware = kind.name === softwareEncoder
    this.picture = picture
    this.#av = av
    this.#workplace = workplace
    this.#context = context
    this.#upload = upload
    this.#bytes = bytes
    this.#isKey = keyInterval(options)
    this.#frame = frameFor(av, options)
    this.#packet = new av.Packet()
    this.#packet.alloc()
  }

  /** Opens the encoder `kind`; on failure nothing of it stays open. @throws AgentError BACKEND_UNAVAILABLE */
  static async open(
    parts: CoderParts,
    kind: EncoderKind,
    options: EncodeOptions,
  ): Promise<NodeAvEncoder> {
    return new NodeAvEncoder(parts, kind, options, await openEncoding(parts.av, kind, options))
  }

  async encode(pts: number, key: boolean): Promise<readonly VideoPacket[]> {
    if (this.#closed) throw new AgentError('INTERNAL', `${this.name} was used after it was closed`)
    const work = this.#encode(pts, key)
    this.#working = work.catch(() => undefined)
    return await work
  }

  /** What is being encoded is finished first: FFmpeg's memory must not vanish under it. */
  close(): Promise<void> {
    this.#closed ??= this.#working.then(() => {
      this.#packet.free()
      this.#context.freeContext()
      this.#upload.close()
      this.#frame.free()
    })
    return this.#closed
  }

  async #encode(pts: number, key: boolean): Promise<VideoPacket[]> {
    const { AV_PICTURE_TYPE_I, AV_PICTURE_TYPE_NONE } = this.#av.constants
    const frame = this.#frame
    // node-av takes the bytes where they are. Saying so each time would also be right if it copied them.
    this.#demand(frame.fromBuffer(this.#bytes))
    frame.pts = BigInt(pts)
    frame.pictType = this.#isKey(pts, key) ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE
    this.#demand(await this.#send(await this.#upload.of(frame)))
    this.#owed += 1
    return await this.#receive()
  }

  /** The packets that are there; a further question would make some hardware wait for a further picture. */
  async #receive(): Promise<VideoPacket[]> {
    const packets: VideoPacket[] = []
    const packet = this.#packet
    while (this.#owed > 0) {
      const code = await this.#receivePacket()
      if (code === this.#av.constants.AVERROR_EAGAIN) break
      this.#demand(code)
      this.#owed -= 1
      const { data, isKeyframe: key, pts } = packet
      if (data) packets.push({ data: this.#unit(data, key), pts: Number(pts), key })
      packet.unref()
    }
    return packets
  }

  #send(frame: AvFrame): number | Promise<number> {
    const elsewhere = () => this.#context.sendFrame(frame)
    if (!this.#inSoftware) return elsewhere()
    return this.#workplace.do(() => this.#context.sendFrameSync(frame), elsewhere)
  }

  /** libx264 has done its work when a picture was sent; hardware may still be at it. */
  #receivePacket(): number | Promise<number> {
    return this.#inSoftware
      ? this.#context.receivePacketSync(this.#packet)
      : this.#context.receivePacket(this.#packet)
  }

  #demand(code: number): void {
    if (code >= 0) return
    const { width, height } = this.picture
    const why = new this.#av.FFmpegError(code).message
    throw new AgentError(
      'SINK_FAILED',
      `${this.name} cannot encode a ${width}×${height} picture: ${why}`,
    )
  }
}

function frameFor(av: NodeAv, { width, height }: EncodeOptions): AvFrame {
  const { AV_PIX_FMT_YUV420P, AVCOL_RANGE_MPEG, AVCOL_SPC_BT709 } = av.constants
  const { AVCOL_PRI_BT709, AVCOL_TRC_BT709 } = av.constants
  const frame = new av.Frame()
  frame.alloc()
  frame.format = AV_PIX_FMT_YUV420P
  frame.width = width
  frame.height = height
  frame.colorRange = AVCOL_RANGE_MPEG
  frame.colorSpace = AVCOL_SPC_BT709
  frame.colorPrimaries = AVCOL_PRI_BT709
  frame.colorTrc = AVCOL_TRC_BT709
  frame.getBuffer()
  return frame
}
