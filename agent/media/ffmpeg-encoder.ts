import { PassThrough, Writable } from 'node:stream'
import { AgentError } from '../core/errors.ts'
import type { Yuv420 } from '../core/stages.ts'
import type { VideoPacket } from '../core/video.ts'
import { accessUnits } from './access-unit.ts'
import type { EncodeOptions, VideoEncoder } from './engine.ts'
import { encodeInputOptions, encodeOutputOptions, pictureFormat } from './ffmpeg-encoding.ts'
import type { FfmpegProgram, ProgramRun } from './ffmpeg-program.ts'
import { ivfFrameHeaderBytes, ivfHeader, writeIvfFrameHeader } from './ivf.ts'
import { keyInterval } from './key-interval.ts'
import type { EncoderKind } from './node-av-encoders.ts'
import { type NutPacket, nutDemuxer } from './nut.ts'
import { type PackedYuv, packedYuv } from './packed-yuv.ts'

/** How long one picture may take; the first one waits for the program to start. */
const patienceMs = 10_000

/** Pictures go into one program and come out as packets, one for each. */
export class FfmpegEncoder implements VideoEncoder {
  readonly name: string
  readonly picture: Yuv420
  readonly #bytes: Buffer
  readonly #input = new PassThrough({ highWaterMark: 1 << 20 })
  readonly #run: ProgramRun
  readonly #fps: number
  readonly #isKey
  readonly #unit = accessUnits()
  #count = 0
  #keysAsked = 0
  #packet: ((packet: NutPacket | undefined) => void) | undefined
  #problem: string | undefined
  #closed = false

  private constructor(program: FfmpegProgram, kind: EncoderKind, options: EncodeOptions) {
    const { picture, bytes }: PackedYuv = packedYuv(options.width, options.height)
    const format = pictureFormat(options)
    this.name = kind.name
    this.picture = picture
    this.#bytes = bytes
    this.#fps = format.tick[1] / format.tick[0]
    this.#isKey = keyInterval(options)
    this.#input.write(ivfHeader(format))
    this.#run = program.run({
      inputOptions: encodeInputOptions(kind),
      input: this.#input,
      outputOptions: encodeOutputOptions(kind, options, program.version),
      output: this.#output(),
    })
    void this.#run.ended.then(({ problem }) => {
      this.#problem = problem ?? 'the program ended'
      this.#packet?.(undefined)
    })
  }

  /**
   * Starts the program and has it encode a black picture: only then does it show whether it can.
   * @throws AgentError BACKEND_UNAVAILABLE
   */
  static async open(
    program: FfmpegProgram,
    kind: EncoderKind,
    options: EncodeOptions,
  ): Promise<FfmpegEncoder> {
    const encoder = new FfmpegEncoder(program, kind, options)
    try {
      await encoder.#answer(false)
      return encoder
    } catch (error) {
      await encoder.close()
      const { width, height, fps } = options
      throw new AgentError(
        'BACKEND_UNAVAILABLE',
        `cannot open the encoder ${kind.name} for ${width}×${height} at ${fps} pictures a second: ${encoder.#problem ?? 'it gives no packet'}`,
        { cause: error },
      )
    }
  }

  async encode(pts: number, key: boolean): Promise<readonly VideoPacket[]> {
    if (this.#closed) throw new AgentError('INTERNAL', `${this.name} was used after it was closed`)
    const packet = await this.#answer(this.#isKey(pts, key))
    return [{ data: this.#unit(packet.data, packet.key), pts, key: packet.key }]
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#run.kill()
    await this.#run.ended
    this.#input.destroy()
  }

  /** Sends the picture and waits for its packet. */
  async #answer(key: boolean): Promise<NutPacket> {
    const answered = new Promise<NutPacket | undefined>((resolve) => {
      this.#packet = resolve
    })
    const impatience = setTimeout(() => this.#packet?.(undefined), patienceMs)
    if (this.#problem === undefined) this.#send(key)
    else this.#packet?.(undefined)
    const packet = await answered
    clearTimeout(impatience)
    this.#packet = undefined
    if (packet) return packet
    const { width, height } = this.picture
    throw new AgentError(
      'SINK_FAILED',
      `${this.name} cannot encode a ${width}×${height} picture: ${this.#problem ?? `no packet within ${patienceMs} ms`}`,
    )
  }

  #send(key: boolean): void {
    if (key) this.#keysAsked += 1
    const header = Buffer.alloc(ivfFrameHeaderBytes)
    writeIvfFrameHeader(header, this.#bytes.length, this.#count + this.#keysAsked)
    this.#count += 1
    this.#input.write(header)
    this.#input.write(this.#bytes)
  }

  /** A packet of an earlier picture, which nobody waits for any more, is left out. */
  #output(): Writable {
    const demuxer = nutDemuxer({
      allocate: (bytes) => Buffer.from(new ArrayBuffer(bytes)),
      take: (packet) => {
        const newest = this.#count - 1 + this.#keysAsked
        if (Math.round(packet.time * this.#fps) === newest) this.#packet?.(packet)
      },
    })
    return new Writable({
      emitClose: false,
      write(chunk: Buffer, _encoding, done) {
        try {
          demuxer.write(chunk)
          done()
        } catch (error) {
          done(AgentError.from(error))
        }
      },
    })
  }
}
