import type { FormatContext } from 'node-av/lib'
import { AgentError } from '../core/errors.ts'
import type { PacketSink, VideoPacket } from '../core/video.ts'
import { parameterSets } from '../mux/h264.ts'
import type { PushOptions } from './engine.ts'
import type { NodeAv } from './node-av-library.ts'
import { type PushMuxer, pushMuxer } from './node-av-push-muxer.ts'
import { type PushTarget, pushTarget } from './push-target.ts'

/**
 * Packets on their way to `url`. It is connected to with the first key packet, whose parameter sets the
 * server has to be told; packets before that are left out. A failed push stays failed.
 * @throws AgentError SINK_UNSUPPORTED
 */
export function nodeAvPush(av: NodeAv, url: string, options: PushOptions): PacketSink {
  return new NodeAvPush(av, pushTarget(url), options)
}

class NodeAvPush implements PacketSink {
  readonly #av: NodeAv
  readonly #target: PushTarget
  readonly #options: PushOptions
  #muxer: PushMuxer | undefined
  #connecting: FormatContext | undefined
  #failure: AgentError | undefined
  #tail: Promise<unknown> = Promise.resolve()
  #closed: Promise<void> | undefined

  constructor(av: NodeAv, target: PushTarget, options: PushOptions) {
    this.#av = av
    this.#target = target
    this.#options = options
  }

  async write(packet: VideoPacket): Promise<void> {
    const turn = this.#tail.then(() => this.#write(packet))
    this.#tail = turn.catch(() => undefined)
    await turn
  }

  /** Connecting is given up; a packet on its way arrives first, or has its time to. */
  close(): Promise<void> {
    if (this.#closed) return this.#closed
    this.#closed = this.#tail.then(() => this.#end())
    this.#connecting?.interrupt()
    return this.#closed
  }

  async #write(packet: VideoPacket): Promise<void> {
    if (this.#failure) throw this.#failure
    if (this.#closed) throw this.#problem('write to', 'it is closed')
    try {
      this.#muxer ??= await this.#connect(packet)
      if (!this.#muxer) return
      await this.#within('write to', this.#muxer.format, this.#muxer.write(packet))
    } catch (error) {
      this.#failure = AgentError.from(error, 'SINK_FAILED')
      throw this.#failure
    }
  }

  async #connect({ data, key }: VideoPacket): Promise<PushMuxer | undefined> {
    const sets = key ? parameterSets(data) : undefined
    if (!sets) return undefined
    const muxer = pushMuxer(this.#av, this.#target, this.#options, sets)
    this.#connecting = muxer.format
    try {
      await this.#within('connect to', muxer.format, muxer.begin())
      return muxer
    } catch (error) {
      muxer.free()
      throw error
    } finally {
      this.#connecting = undefined
    }
  }

  /** Interrupts FFmpeg when its time is up: its own timeouts do not cover everything. */
  async #within(attempt: string, format: FormatContext, work: Promise<number>): Promise<void> {
    const { timeoutMs } = this.#options
    let late = false
    const timer = setTimeout(() => {
      late = true
      format.interrupt()
    }, timeoutMs)
    const code = await work.finally(() => clearTimeout(timer))
    // Over RTSP, FFmpeg does not tell that a packet was cut off.
    if (code >= 0 && !late) return
    const why = late ? `no answer within ${timeoutMs} ms` : new this.#av.FFmpegError(code).message
    throw this.#problem(attempt, why)
  }

  #problem(attempt: string, why: string): AgentError {
    const message = `cannot ${attempt} ${this.#target.name}: ${why}`
    return new AgentError('SINK_FAILED', message, { retryable: true })
  }

  /** The end takes leave of the server and closes the connection, even a broken one. */
  async #end(): Promise<void> {
    const muxer = this.#muxer
    if (!muxer) return
    this.#muxer = undefined
    if (this.#failure) muxer.format.interrupt()
    // All packets were written; a server that does not answer the farewell has lost nothing.
    await this.#within('leave', muxer.format, muxer.end()).catch(() => undefined)
    muxer.free()
  }
}
