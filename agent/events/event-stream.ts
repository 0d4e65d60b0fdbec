import { Readable } from 'node:stream'
import { HEARTBEAT, noticeFrame } from './event-frame.ts'
import { type EventFilter, isWanted } from './event-place.ts'
import type { KeptEvent } from './event-ring.ts'

/** What a stream reads from. */
export interface EventSource {
  /** Events after the one numbered `seq`, oldest first; empty: there are none yet. */
  after(seq: number): readonly KeptEvent[]
  /** Number of the newest event. */
  readonly newest: number
}

/** What a new stream begins with. */
export interface Beginning {
  readonly frames: readonly (string | Buffer)[]
  /** Events up to this one are not sent. */
  readonly after: number
  /** Retained values up to this one are not sent: the frames hold newer ones. */
  readonly retainedAfter: number
}

/** Bytes that wait in a stream for its client; everything else waits in the history, once for all. */
const QUEUED_BYTES = 16 * 1024
/** How long a stream that is over waits for a slow client, ms. */
const LAST_WORDS_MS = 5000

/**
 * One client's events as text/event-stream. It holds no queue: a client that is behind reads from the
 * history, and what leaves the history before that is lost to it. Of QoS 0 that is counted and told
 * (`event: dropped`); losing anything else ends the stream, so that the client connects again and is told.
 */
export class EventStream {
  readonly readable: Readable
  readonly #source: EventSource
  readonly #filter: EventFilter
  readonly #retainedAfter: number
  #sent: number
  #wanting = false
  #behind: boolean
  #dropped = 0
  #silentBeats = 0
  #told: (loss: 'dropped' | 'closed') => void

  /** @param told is told of each event that the client lost, and of its end because of that */
  constructor(
    source: EventSource,
    filter: EventFilter,
    beginning: Beginning,
    told: (loss: 'dropped' | 'closed') => void,
  ) {
    this.#source = source
    this.#filter = filter
    this.#told = told
    this.#sent = beginning.after
    this.#retainedAfter = beginning.retainedAfter
    this.#behind = beginning.after < source.newest
    this.readable = new Readable({ highWaterMark: QUEUED_BYTES, read: () => this.#read() })
    for (const frame of beginning.frames) this.readable.push(frame)
  }

  /** An event was just published and is in the history. */
  published(event: KeptEvent): void {
    if (this.#behind) return
    if (!this.#wants(event)) this.#sent = event.seq
    else if (this.#wanting) this.#send(event)
    else this.#behind = true
  }

  /** An event left the history. */
  forgotten(event: KeptEvent): void {
    if (event.seq <= this.#sent || !this.#wants(event)) return
    if (event.qos === 0) {
      this.#dropped += 1
      this.#told('dropped')
    } else this.#giveUp()
  }

  /** Called every so often: shows that the connection lives, and ends it when the client took nothing since long. */
  beat(): void {
    if (this.#wanting) {
      this.#push(HEARTBEAT)
      return
    }
    this.#silentBeats += 1
    if (this.#silentBeats > 2) this.#giveUp()
  }

  /** Nothing more is published: what the client has not got yet is all it gets, if it takes it soon. */
  end(): void {
    if (this.readable.destroyed) return
    for (const event of this.#behind ? this.#rest() : []) if (this.#wants(event)) this.#send(event)
    this.readable.push(null)
    const late = setTimeout(() => this.readable.destroy(), LAST_WORDS_MS).unref()
    this.readable.once('close', () => clearTimeout(late))
  }

  #read(): void {
    this.#wanting = true
    this.#silentBeats = 0
    if (this.#dropped > 0) {
      const count = this.#dropped
      this.#dropped = 0
      this.#push(noticeFrame('dropped', { count }))
    }
    while (this.#wanting && this.#behind) this.#catchUp()
  }

  #catchUp(): void {
    const events = this.#source.after(this.#sent)
    for (const event of events) {
      if (!this.#wanting) return
      if (this.#wants(event)) this.#send(event)
      else this.#sent = event.seq
    }
    if (events.length === 0) this.#behind = false
  }

  *#rest(): Generator<KeptEvent, void, void> {
    for (;;) {
      const events = this.#source.after(this.#sent)
      if (events.length === 0) return
      for (const event of events) {
        yield event
        this.#sent = event.seq
      }
    }
  }

  #send({ seq, frame }: KeptEvent): void {
    this.#sent = seq
    this.#push(frame)
  }

  #push(frame: string | Buffer): void {
    this.#wanting = this.readable.push(frame)
  }

  #wants({ seq, retained, place }: KeptEvent): boolean {
    return !(retained && seq <= this.#retainedAfter) && isWanted(this.#filter, place)
  }

  #giveUp(): void {
    if (this.readable.destroyed) return
    this.#told('closed')
    this.readable.destroy()
  }
}
