import type { OutputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import type { Delivered, Seen, Sink } from '../core/stages.ts'
import { backoffMs } from '../pipeline/backoff.ts'
import { type OutputFilter, outputFilter } from '../pipeline/output-filter.ts'
import { createSink } from '../sinks/registry.ts'
import type { SinkContext } from '../sinks/sink-context.ts'
import type { OutputReport } from './messages.ts'
import { type OutputRoom, outputRoom } from './output-room.ts'

/** Results on their way to one sink before inputs wait for it. */
const USUAL_PLACES = 1000
/** The same, of each input, for sinks that make pictures. */
const PACED_PLACES = 2

/** What a runner needs of its service. */
export interface OutputParts {
  readonly id: string
  readonly spec: OutputSpec
  /** Results of one input that may come before the first of them has settled. */
  readonly atOnce: number
  readonly context: Omit<SinkContext, 'dropped' | 'troubled' | 'lost'>
  report(report: OutputReport): void
  fault(error: AgentError): void
}

/** Keeps one output open: filters, counts, retries and reports alone. It never fails its callers. */
export class OutputRunner {
  readonly #parts: OutputParts
  #filter: OutputFilter
  #sink: Sink | undefined
  #opening: Sink | undefined
  /** What it still gives up while it is closed was promised, and is told. */
  #closing: Sink | undefined
  #state: OutputReport['state'] = 'opening'
  #error: AgentError | undefined
  #written = 0
  #dropped = 0
  #room: OutputRoom | undefined
  #attempt = 0
  #retry: NodeJS.Timeout | undefined
  #closed = false

  constructor(parts: OutputParts) {
    this.#parts = parts
    this.#filter = outputFilter(parts.spec)
  }

  /** Opens the sink; retries by itself when that can help. */
  async open(): Promise<void> {
    try {
      const sink = this.#create()
      this.#opening = sink
      await sink.open()
      this.#filter = outputFilter(this.#parts.spec, sink)
      this.#room ??= roomOf(sink, this.#parts.atOnce)
      this.#sink = sink
      this.#become('open')
    } catch (error) {
      this.#failed(AgentError.from(error, 'SINK_FAILED'))
    } finally {
      this.#opening = undefined
    }
    if (this.#closed) await this.close()
  }

  #create(): Sink {
    const sink: Sink = createSink(this.#parts.spec, {
      ...this.#parts.context,
      dropped: () => {
        this.#dropped += 1
      },
      troubled: (error) => this.#troubled(sink, error),
      lost: (error) => this.#failed(error, sink),
    })
    return sink
  }

  /**
   * Hands a result on, if the filter lets it pass. Never waits for the destination; what it returns
   * settles when there is room for the next one, or soon after: an encoder sets a file's pace.
   * @param waits whether the caller waits for that; without, more is dropped
   */
  write(delivered: Delivered, waits: boolean): Promise<void> | undefined {
    const result = this.#filter(delivered.result, performance.now())
    if (!result) return undefined
    const sink = this.#sink
    const place = sink && this.#room?.take(result.input, waits)
    if (!place) {
      this.#dropped += 1
      return undefined
    }
    if (!sink.keepsFrames) delivered.frame.retain()
    sink
      .write({ ...delivered, result })
      .then(
        () => {
          this.#written += 1
          this.#attempt = 0
        },
        (error: unknown) => {
          this.#dropped += 1
          const cause = AgentError.from(error, 'SINK_FAILED')
          if (cause.code !== 'LIMIT_EXCEEDED') this.#failed(cause, sink)
        },
      )
      .finally(() => {
        place.free()
        if (!sink.keepsFrames) delivered.frame.release()
      })
    return place.next
  }

  /** A picture was read; only what shows them all takes it. */
  see(seen: Seen): void {
    const { inputs } = this.#parts.spec
    if (inputs && !inputs.includes(seen.input)) return
    if (this.#state === 'open') this.#sink?.see?.(seen)
  }

  /** Nothing more comes of an input until it is opened again. */
  inputOver(input: string): void {
    this.#sink?.inputOver?.(input)
  }

  /** Says how far it got; called once a second. */
  tick(): void {
    if (this.#sink) this.#report()
  }

  /** Ends it; what is under way is finished first, an opening is broken off. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    const sink = this.#sink ?? this.#opening
    this.#closing ??= this.#sink
    this.#sink = undefined
    try {
      await sink?.close()
    } catch (error) {
      this.#parts.fault(AgentError.from(error, 'SINK_FAILED'))
    }
  }

  #troubled(sink: Sink, error: AgentError | undefined): void {
    if (this.#closed || sink !== this.#sink) return
    if (error) this.#parts.fault(error)
    this.#error = error
    this.#become(error ? 'retrying' : 'open')
  }

  /** @param by the sink that failed, whose later failures say nothing new; absent: one that did not open */
  #failed(error: AgentError, by?: Sink): void {
    if (by && by === this.#closing) this.#parts.fault(error)
    if (this.#closed || (by && by !== this.#sink)) return
    this.#parts.fault(error)
    this.#error = error
    this.#become(error.retryable ? 'retrying' : 'failed')
    const broken = this.#sink
    this.#sink = undefined
    broken
      ?.close()
      .catch((cause: unknown) => this.#parts.fault(AgentError.from(cause, 'SINK_FAILED')))
    if (!error.retryable) return
    this.#retry = setTimeout(() => void this.open(), backoffMs(this.#attempt++, Math.random()))
  }

  #become(state: OutputReport['state']): void {
    this.#state = state
    if (state === 'open') this.#error = undefined
    this.#report()
  }

  #report(): void {
    if (this.#closed) return
    const { id } = this.#parts
    const error = this.#error ? { error: this.#error.toInfo() } : {}
    this.#parts.report({
      id,
      state: this.#state,
      written: this.#written,
      dropped: this.#dropped,
      ...error,
    })
  }
}

/** An input whose sample has to wait has given others before it heard of that. */
function roomOf({ paced = false, room = USUAL_PLACES }: Sink, atOnce: number): OutputRoom {
  return outputRoom({
    perInput: paced,
    places: paced ? PACED_PLACES : room,
    further: atOnce - 1,
  })
}
