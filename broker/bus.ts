import type { Aedes, AedesPublishPacket } from 'aedes'
import type { Arrival, Bus } from '../agent/core/bus.ts'
import type { Log } from '../agent/core/log.ts'
import type { Interest } from './interest.ts'
import { bytesOf } from './payload.ts'
import type { RetainedMessages } from './retained-messages.ts'

type Take<Rest extends unknown[]> = (arrival: Arrival, ...rest: Rest) => void

/** The agent's ears: who takes control messages and refused ones. A taker that throws harms nobody else. */
export interface Audience {
  readonly onControl: Bus['onControl']
  readonly onRefused: Bus['onRefused']
  control(arrival: Arrival): void
  refused(arrival: Arrival, reason: string): void
  tell<Rest extends unknown[]>(take: Take<Rest>, arrival: Arrival, ...rest: Rest): void
}

/** An audience without takers; what they throw goes to `log`. */
export function audience(log: Log): Audience {
  const controllers: Take<[]>[] = []
  const refusals: Take<[string]>[] = []

  function tell<Rest extends unknown[]>(take: Take<Rest>, arrival: Arrival, ...rest: Rest): void {
    try {
      take(arrival, ...rest)
    } catch (error) {
      log.error({ topic: arrival.topic, error }, 'a message could not be handled')
    }
  }
  return {
    onControl: (take) => void controllers.push(take),
    onRefused: (take) => void refusals.push(take),
    control(arrival) {
      for (const take of controllers) tell(take, arrival)
    },
    refused(arrival, reason) {
      for (const take of refusals) tell(take, arrival, reason)
    },
    tell,
  }
}

/** The in-process side of the broker. */
export interface LocalBus {
  readonly bus: Bus
  /** Settles when everything published so far was written to its subscribers. */
  settled(): Promise<void>
}

/** A packet within the broker; `clientId` is absent where the agent itself published it. */
type Routed = AedesPublishPacket & { readonly clientId?: string }

/** The agent's bus on a running Aedes. Publishing after the broker is closed does nothing. */
export function localBus(
  aedes: Aedes,
  retained: RetainedMessages,
  ears: Audience,
  wishes: Interest,
): LocalBus {
  let outstanding = 0
  let idle: (() => void)[] = []

  function published(): void {
    outstanding -= 1
    if (outstanding > 0) return
    for (const resolve of idle) resolve()
    idle = []
  }
  return {
    settled: () =>
      new Promise((resolve) => {
        if (outstanding === 0) resolve()
        else idle.push(resolve)
      }),
    bus: {
      onControl: ears.onControl,
      onRefused: ears.onRefused,
      onFilters: wishes.onFilters,
      publish(topic, payload, { qos, retain }) {
        outstanding += 1
        const bytes = Buffer.from(payload)
        aedes.publish({ cmd: 'publish', dup: false, topic, payload: bytes, qos, retain }, published)
      },
      subscribe: (filter, take) =>
        subscribe(aedes, retained, filter, (arrival) => ears.tell(take, arrival)),
    },
  }
}

/** Hears clients on `filter`, after what they left there retained. */
function subscribe(
  aedes: Aedes,
  retained: RetainedMessages,
  filter: string,
  take: (arrival: Arrival) => void,
): () => void {
  const version = retained.version()
  let open = true
  // mqemitter passes the packet only to functions of two parameters.
  function deliver(packet: Routed, done: () => void): void {
    const { topic, payload, retain, clientId } = packet
    if (open && clientId !== undefined && !topic.startsWith('$')) {
      take(arrivalOf({ topic, payload, retain }, clientId))
    }
    done()
  }
  function remember(): void {
    for (const topic of open ? retained.topics(filter) : []) {
      const kept = retained.get(topic, version)
      if (kept?.clientId !== undefined) take(arrivalOf({ ...kept, retain: true }, kept.clientId))
    }
  }
  aedes.subscribe(filter, deliver, remember)
  return () => {
    open = false
    aedes.unsubscribe(filter, deliver, () => undefined)
  }
}

/** What a client published, as the agent sees it. */
export function arrivalOf(
  packet: { readonly topic: string; readonly payload: string | Buffer; readonly retain: boolean },
  client: string,
): Arrival {
  return {
    topic: packet.topic,
    payload: bytesOf(packet.payload),
    retained: packet.retain,
    client,
    arrivedAt: performance.now(),
  }
}
