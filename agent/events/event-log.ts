import type { Readable } from 'node:stream'
import { type AddressBook, agentTopic } from '../../schemas/address.ts'
import type { Bus, Delivery } from '../core/bus.ts'
import { eventFrame, idFrame, noticeFrame, retryFrame } from './event-frame.ts'
import { type EventHistory, eventHistory } from './event-history.ts'
import { type EventFilter, isWanted, placeOf } from './event-place.ts'
import type { KeptEvent, RingLimits } from './event-ring.ts'
import { type Beginning, EventStream } from './event-stream.ts'

/** What an event log stands on. */
export interface EventLogParts {
  readonly book: AddressBook
  /** New at every start of the agent. */
  readonly boot: string
  /** Of what is kept of one service's events of QoS 0, and of its others. */
  readonly limits: { readonly historyCount: number; readonly historyBytes: number }
}

/** What became of the clients of an event log. */
export interface EventCounts {
  readonly open: number
  /** Events of QoS 0 that slow clients lost. */
  readonly dropped: number
  /** Clients sent away because they took nothing. */
  readonly closed: number
}

/** How soon a client that lost its connection should come back, ms. */
const RETRY_MS = 1000
const HEARTBEAT_MS = 15_000
/** How long events are kept for clients that may come back, after the last one has gone, ms. */
const LINGER_MS = 60_000
/** Events that are handed to a client at a time that catches up. */
const BATCH = 64

/** What the agent publishes, for clients of server-sent events: now, and for those who come back. */
export class EventLog {
  readonly #prefix: string
  readonly #boot: string
  readonly #limits: RingLimits
  readonly #retained = new Map<string, string>()
  readonly #services = new Set<string>()
  readonly #streams = new Map<EventStream, EventFilter>()
  /** Absent while nobody listens: publishing costs nothing then. */
  #history: EventHistory | undefined
  #newest = 0
  #dropped = 0
  #closed = 0
  #ended = false
  #heartbeat: NodeJS.Timeout | undefined
  #linger: NodeJS.Timeout | undefined

  constructor({ book, boot, limits }: EventLogParts) {
    this.#prefix = agentTopic(book, '')
    this.#boot = boot.slice(0, 8)
    this.#limits = { count: limits.historyCount, bytes: limits.historyBytes }
  }

  /** The same bus; what is published on the agent's own topics is noted on its way. */
  tap(bus: Bus): Bus {
    return {
      publish: (topic, payload, delivery) => {
        bus.publish(topic, payload, delivery)
        if (delivery.retain || this.#history) this.#note(topic, payload, delivery)
      },
      onControl: (take) => bus.onControl(take),
      onRefused: (take) => bus.onRefused(take),
      onFilters: (take) => bus.onFilters(take),
      subscribe: (filter, take) => bus.subscribe(filter, take),
    }
  }

  get counts(): EventCounts {
    return { open: this.#streams.size, dropped: this.#dropped, closed: this.#closed }
  }

  /**
   * A stream of text/event-stream: with the id of the last event that the client saw, what came after it, and
   * a `gap` where that is not here any more; without, every retained value. Then what is published.
   * It ends with its service or the agent; whoever takes it destroys it.
   */
  open(filter: EventFilter, lastEventId?: string): Readable {
    clearTimeout(this.#linger)
    this.#history ??= eventHistory(this.#limits, this.#newest)
    this.#heartbeat ??= setInterval(() => this.#beat(), HEARTBEAT_MS)
    const history = this.#history
    const source = {
      newest: this.#newest,
      after: (seq: number) => history.after(seq, filter, BATCH),
    }
    const beginning = this.#beginning(history, filter, lastEventId)
    const stream = new EventStream(source, filter, beginning, (loss) => {
      if (loss === 'dropped') this.#dropped += 1
      else this.#closed += 1
    })
    stream.readable.once('close', () => this.#left(stream))
    this.#streams.set(stream, filter)
    if (this.#ended) this.#end(stream)
    return stream.readable
  }

  /** Ends every stream, and those that are opened from now on. */
  close(): void {
    this.#ended = true
    for (const stream of [...this.#streams.keys()]) this.#end(stream)
    this.#forget()
  }

  #beginning(history: EventHistory, filter: EventFilter, lastEventId?: string): Beginning {
    const newest = this.#newest
    const retry = retryFrame(RETRY_MS)
    const anew = { after: newest, retainedAfter: newest }
    if (lastEventId === undefined) {
      return { ...anew, frames: [retry, ...this.#snapshot(filter), idFrame(this.#idOf(newest))] }
    }
    const seen = this.#seqOf(lastEventId)
    const gap = noticeFrame('gap', { after: lastEventId })
    if (seen === undefined) {
      const frames = [retry, gap, ...this.#snapshot(filter), idFrame(this.#idOf(newest))]
      return { ...anew, frames }
    }
    const missed = history.missed(seen, filter)
    if (missed === 'nothing') return { frames: [retry], after: seen, retainedAfter: 0 }
    if (missed === 'flow') return { frames: [retry, gap], after: seen, retainedAfter: 0 }
    return { frames: [retry, gap, ...this.#snapshot(filter)], after: seen, retainedAfter: newest }
  }

  /** Every retained value, without an id: a client that is cut off in the midst of them gets them again. */
  #snapshot(filter: EventFilter): Buffer[] {
    return [...this.#retained]
      .map(([path, payload]) => ({ place: placeOf(path), payload }))
      .filter(({ place }) => isWanted(filter, place))
      .map(({ place, payload }) => eventFrame(place, payload))
  }

  #note(topic: string, payload: Uint8Array | string, { qos, retain }: Delivery): void {
    if (!topic.startsWith(this.#prefix)) return
    const path = topic.slice(this.#prefix.length)
    if (retain) this.#retain(path, payload)
    if (this.#history) this.#keep(this.#history, path, payload, { qos, retain })
    if (retain && payload.length === 0) this.#gone(path)
  }

  #retain(path: string, payload: Uint8Array | string): void {
    if (payload.length === 0) {
      this.#retained.delete(path)
      return
    }
    this.#retained.set(path, payload.toString())
    const { service } = placeOf(path)
    if (service !== undefined) this.#services.add(service)
  }

  #keep(
    history: EventHistory,
    path: string,
    payload: Uint8Array | string,
    { qos, retain }: Delivery,
  ): void {
    const place = placeOf(path)
    if (place.kind === 'preview') return
    this.#newest += 1
    const frame = eventFrame(place, payload, this.#idOf(this.#newest))
    const event: KeptEvent = { place, seq: this.#newest, qos, retained: retain, frame }
    // Errors about services that do not exist have names that anybody may invent.
    const { service } = place
    const owner = service !== undefined && this.#services.has(service) ? service : undefined
    const forgotten = history.push(event, owner)
    for (const stream of this.#streams.keys()) stream.published(event)
    this.#lost(forgotten)
  }

  #lost(events: readonly KeptEvent[]): void {
    for (const event of events) {
      for (const stream of this.#streams.keys()) stream.forgotten(event)
    }
  }

  /** A service's `state` is cleared last, when it is removed. */
  #gone(path: string): void {
    const { service, topic } = placeOf(path)
    if (service === undefined || topic !== 'state') return
    for (const [stream, filter] of [...this.#streams]) {
      if (filter.service === service) this.#end(stream)
    }
    this.#services.delete(service)
    this.#lost(this.#history?.remove(service, this.#newest) ?? [])
  }

  #beat(): void {
    for (const stream of [...this.#streams.keys()]) stream.beat()
  }

  #end(stream: EventStream): void {
    this.#streams.delete(stream)
    stream.end()
  }

  #left(stream: EventStream): void {
    this.#streams.delete(stream)
    if (this.#streams.size > 0) return
    clearInterval(this.#heartbeat)
    this.#heartbeat = undefined
    clearTimeout(this.#linger)
    if (!this.#ended) this.#linger = setTimeout(() => this.#forget(), LINGER_MS).unref()
  }

  /** What is published from now on is not noted, so whoever comes back has missed something. */
  #forget(): void {
    clearInterval(this.#heartbeat)
    clearTimeout(this.#linger)
    this.#history = undefined
    this.#newest += 1
  }

  #idOf(seq: number): string {
    return `${this.#boot}:${seq}`
  }

  /** Nothing for an id of another start of the agent, or of somebody else's. */
  #seqOf(id: string): number | undefined {
    const [boot, number = ''] = id.split(':')
    const seq = /^\d{1,15}$/.test(number) ? Number(number) : Number.NaN
    return boot === this.#boot && seq <= this.#newest ? seq : undefined
  }
}
