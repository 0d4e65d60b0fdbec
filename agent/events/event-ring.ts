import type { EventPlace } from './event-place.ts'

/** An event as it is kept for those who are behind. */
export interface KeptEvent {
  readonly place: EventPlace
  /** Counts the agent's events from 1, with no holes. */
  readonly seq: number
  /** 0: a slow client may miss it. */
  readonly qos: 0 | 1
  /** It is the newest value of a retained topic, or was. */
  readonly retained: boolean
  readonly frame: Buffer
}

/** How much is kept. */
export interface RingLimits {
  readonly count: number
  readonly bytes: number
}

/** The newest events, as many as the limits allow. */
export interface EventRing {
  /** The last event that is no longer here; who has not seen it has missed something. */
  readonly forgotten: number
  /** Keeps an event, and returns those that had to go for it. */
  push(event: KeptEvent): readonly KeptEvent[]
  /** Up to `most` events after the one numbered `seq`, oldest first. */
  after(seq: number, most: number): readonly KeptEvent[]
}

/** @param forgotten events up to this one were never here */
export function eventRing(limits: RingLimits, forgotten: number): EventRing {
  const events: KeptEvent[] = []
  let bytes = 0
  let last = forgotten
  const shift = (): KeptEvent[] => {
    const gone: KeptEvent[] = []
    while (events.length > limits.count || bytes > limits.bytes) {
      const oldest = events.shift()
      if (!oldest) break
      bytes -= oldest.frame.length
      last = oldest.seq
      gone.push(oldest)
    }
    return gone
  }
  return {
    get forgotten() {
      return last
    },
    push(event) {
      events.push(event)
      bytes += event.frame.length
      return shift()
    },
    after(seq, most) {
      const from = firstAfter(events, seq)
      return events.slice(from, from + most)
    },
  }
}

/** By halving: sequence numbers rise. */
function firstAfter(events: readonly KeptEvent[], seq: number): number {
  let low = 0
  let high = events.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((events[middle]?.seq ?? 0) > seq) high = middle
    else low = middle + 1
  }
  return low
}
