import type { EventFilter } from './event-place.ts'
import { type EventRing, eventRing, type KeptEvent, type RingLimits } from './event-ring.ts'

/** Each kind has a ring of its own: results, thirty a second, must not push out states and errors. */
interface Rings {
  readonly flow: EventRing
  readonly lasting: EventRing
}

/** What a client missed that saw everything up to some event. */
export type Missed = 'nothing' | 'flow' | 'more'

/** The newest events of each service, and of the agent itself. */
export interface EventHistory {
  /** Keeps an event of a service, or else of the agent, and returns those that had to go for it. */
  push(event: KeptEvent, service: string | undefined): readonly KeptEvent[]
  /** Up to `most` events after the one numbered `seq`, oldest first. */
  after(seq: number, filter: EventFilter, most: number): readonly KeptEvent[]
  /** What is no longer here of what came after `seq`; `flow`: events of QoS 0 only. */
  missed(seq: number, filter: EventFilter): Missed
  /** Forgets a service, whose last event was the one numbered `seq`, and returns what was kept of it. */
  remove(service: string, seq: number): readonly KeptEvent[]
}

/**
 * @param limits of one service's events of QoS 0, and of its others
 * @param forgotten events up to this one are not here
 */
export function eventHistory(limits: RingLimits, forgotten: number): EventHistory {
  const rings = new Map<string | undefined, Rings>()
  const of = ({ service }: EventFilter): Rings[] => {
    const one = rings.get(service)
    if (service === undefined) return [...rings.values()]
    return one ? [one] : []
  }
  let removed = forgotten
  return {
    push(event, service) {
      const kept = rings.get(service) ?? newRings(limits, removed)
      rings.set(service, kept)
      return (event.qos === 0 ? kept.flow : kept.lasting).push(event)
    },
    after(seq, filter, most) {
      const each = of(filter).flatMap(({ flow, lasting }) => [
        ...flow.after(seq, most),
        ...lasting.after(seq, most),
      ])
      return each.sort((a, b) => a.seq - b.seq).slice(0, most)
    },
    missed(seq, filter) {
      const concerned = of(filter)
      const oldest = filter.service === undefined ? removed : forgotten
      if (seq < oldest || concerned.some(({ lasting }) => lasting.forgotten > seq)) return 'more'
      return concerned.some(({ flow }) => flow.forgotten > seq) ? 'flow' : 'nothing'
    },
    remove(service, seq) {
      const gone = rings.get(service)
      rings.delete(service)
      removed = seq
      return gone ? [...gone.flow.after(0, seq), ...gone.lasting.after(0, seq)] : []
    },
  }
}

function newRings(limits: RingLimits, forgotten: number): Rings {
  return { flow: eventRing(limits, forgotten), lasting: eventRing(limits, forgotten) }
}
