import { PassThrough } from 'node:stream'
import { AgentError } from '../core/errors.ts'
import { type PacketSink, VIDEO_CLOCK, type VideoPacket } from '../core/video.ts'
import { parameterSets } from '../mux/h264.ts'
import type { PushOptions } from './engine.ts'
import { ivfInputOptions } from './ffmpeg-encoding.ts'
import type { FfmpegProgram, ProgramRun } from './ffmpeg-program.ts'
import { ivfFrameHeaderBytes, ivfHeader, writeIvfFrameHeader } from './ivf.ts'
import { type PushTarget, pushTarget } from './push-target.ts'

/**
 * Packets on their way to `url`, through a program that sends them as they are. It connects with the
 * first key packet, whose parameter sets the server has to be told; packets before that are left out. A
 * failed push stays failed. @throws AgentError SINK_UNSUPPORTED
 */
export function ffmpegPush(program: FfmpegProgram, url: string, options: PushOptions): PacketSink {
  return new FfmpegPush(program, pushTarget(url), options)
}

/** Taking leave of a server takes this long at most, ms. */
const leaveMs = 2000

class FfmpegPush implements PacketSink {
  readonly #program: FfmpegProgram
  readonly #target: PushTarget
  readonly #options: PushOptions
  readonly #input = new PassThrough()
  #run: ProgramRun | undefined
  #opened: (() => void) | undefined
  #failure: AgentError | undefined
  #failed: ((error: AgentError) => void) | undefined
  #tail: Promise<unknown> = Promise.resolve()
  #closed: Promise<void> | undefined

  constructor(program: FfmpegProgram, target: PushTarget, options: PushOptions) {
    this.#program = program
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
    if (this.#opened) this.#run?.kill()
    this.#closed = this.#tail.then(() => this.#end())
    return this.#closed
  }

  async #write(packet: VideoPacket): Promise<void> {
    if (this.#failure) throw this.#failure
    if (this.#closed) throw this.#problem('write to', 'it is closed')
    if (this.#run) {
      await this.#within('write to', (done) => this.#send(packet, done))
    } else if (packet.key && parameterSets(packet.data)) {
      await this.#within('connect to', (done) => this.#connect(packet, done))
    }
  }

  #connect(packet: VideoPacket, done: () => void): void {
    const { width, height } = this.#options
    this.#opened = done
    const run = this.#program.run({
      inputOptions: ivfInputOptions,
      input: this.#input,
      outputOptions: outputOptions(this.#target),
      output: this.#target.url,
      opened: () => {
        this.#opened = undefined
        done()
      },
    })
    this.#run = run
    void run.ended.then(({ problem = 'the connection ended' }) => {
      const attempt = this.#opened ? 'connect to' : 'write to'
      this.#fail(this.#problem(attempt, problem.replaceAll(this.#target.url, this.#target.name)))
    })
    this.#input.write(ivfHeader({ fourcc: 'H264', width, height, tick: [1, VIDEO_CLOCK] }))
    this.#send(packet, () => undefined)
  }

  #send({ data, pts }: VideoPacket, done: () => void): void {
    const header = Buffer.alloc(ivfFrameHeaderBytes)
    writeIvfFrameHeader(header, data.length, pts)
    this.#input.write(header)
    this.#input.write(data, done)
  }

  /** Does `work`, unless the program ends first or time is up, which ends it. */
  async #within(attempt: string, work: (done: () => void) => void): Promise<void> {
    const { timeoutMs } = this.#options
    const timer = setTimeout(() => {
      this.#fail(this.#problem(attempt, `no answer within ${timeoutMs} ms`))
      this.#run?.kill()
    }, timeoutMs)
    try {
      await new Promise<void>((resolve, reject) => {
        this.#failed = reject
        work(resolve)
      })
    } finally {
      clearTimeout(timer)
      this.#failed = undefined
    }
  }

  /** The first failure is the one that counts. */
  #fail(error: AgentError): void {
    this.#failure ??= error
    this.#failed?.(this.#failure)
  }

  #problem(attempt: string, why: string): AgentError {
    const message = `cannot ${attempt} ${this.#target.name}: ${why}`
    return new AgentError('SINK_FAILED', message, { retryable: true })
  }

  /** The end of its input has the program take leave of the server. */
  async #end(): Promise<void> {
    if (!this.#run) return
    this.#input.end()
    const tooLong = setTimeout(() => this.#run?.kill(), leaveMs)
    await this.#run.ended
    clearTimeout(tooLong)
    this.#input.destroy()
  }
}

/** Packets are written out at once, under the times they have. */
function outputOptions({ protocol }: PushTarget): string[] {
  const format =
    protocol === 'rtsp'
      ? ['-f', 'rtsp', '-rtsp_transport', 'tcp']
      : ['-f', 'flv', '-flvflags', 'no_duration_filesize']
  return ['-c:v', 'copy', '-copyts', '-bsf:v', 'setts=dts=PTS', '-flush_packets', '1', ...format]
}
