import { Readable } from 'node:stream'
import type { AedesPublishPacket, PubrelPacket, Subscription } from 'aedes'
import type { Handshakes } from './handshakes.ts'
import type { Queued } from './message-queue.ts'
import type { Mishaps } from './mishaps.ts'
import { bytesOf } from './payload.ts'
import type { RetainedMessages } from './retained-messages.ts'
import type { Sessions } from './sessions.ts'

interface Parts {
  readonly sessions: Sessions
  readonly retained: RetainedMessages
  readonly handshakes: Handshakes
  readonly tally: Mishaps
  /** Whether this very subscription was granted when it was asked for. */
  granted(subscription: Subscription): boolean
}

interface Owner {
  readonly id: string
}
type Packet = AedesPublishPacket & { readonly clientId?: string }
type Acknowledgement = { readonly messageId?: number }

/**
 * The stores as what Aedes calls a persistence: the functions that Aedes 1.2 uses, in memory.
 * Aedes' own one has no limits, scans all retained messages at a stretch, and writes every
 * SUBSCRIBE as often as it has filters, refused ones included.
 */
export function aedesPersistence(parts: Parts) {
  return {
    async setup() {
      // Nothing to open; Aedes insists on an async function.
    },
    ...retainedFunctions(parts),
    ...subscriptionFunctions(parts),
    ...outgoingFunctions(parts),
    ...incomingFunctions(parts),
    ...willFunctions,
  }
}

function retainedFunctions({ retained, tally }: Parts) {
  return {
    async storeRetained({ topic, payload, qos, clientId }: Packet) {
      const bytes = bytesOf(payload)
      const origin = clientId === undefined ? {} : { clientId }
      if (!retained.store({ topic, payload: bytes, qos, ...origin })) {
        tally.count('unretainedMessages', `${topic}, ${bytes.length} bytes`)
      }
    },
    /** Subscribers get theirs from `retainedReplay`. */
    createRetainedStreamCombi: () => Readable.from([]),
  }
}

function subscriptionFunctions({ sessions, granted }: Parts) {
  const writes = new WeakMap<object, Promise<void>>()

  async function write({ id }: Owner, subscriptions: readonly Subscription[]): Promise<void> {
    // Aedes asks when it has judged the first filter; after this turn all are judged.
    await Promise.resolve()
    for (const subscription of subscriptions) {
      if (granted(subscription)) sessions.addFilter(id, subscription.topic, subscription.qos)
    }
  }
  return {
    /** Called once for each filter of a packet, each time with all of them. */
    async addSubscriptions(client: Owner, subscriptions: readonly Subscription[]) {
      const written = writes.get(subscriptions) ?? write(client, subscriptions)
      writes.set(subscriptions, written)
      await written
    },
    async removeSubscriptions({ id }: Owner, filters: readonly string[]) {
      for (const filter of filters) sessions.removeFilter(id, filter)
    },
    async subscriptionsByClient({ id }: Owner) {
      return [...(sessions.filters(id) ?? [])].map(([topic, qos]) => ({ topic, qos }))
    },
    async subscriptionsByTopic(topic: string) {
      return sessions.subscribers(topic).map((clientId) => ({ clientId, topic }))
    },
    async cleanSubscriptions({ id }: Owner) {
      sessions.remove(id)
    },
  }
}

function outgoingFunctions({ sessions, tally }: Parts) {
  return {
    async outgoingEnqueueCombi(
      subscribers: readonly { readonly clientId: string }[],
      packet: Packet,
    ) {
      const clientIds = subscribers.map(({ clientId }) => clientId)
      const payload = bytesOf(packet.payload)
      // What is delivered later is not retained: retained is what a SUBSCRIBE brings (3.3.1.3).
      const lost = sessions.enqueue(clientIds, { ...packet, payload, retain: false })
      if (lost > 0) tally.count('unqueuedMessages', packet.topic)
    },
    /** Only for what is sent to one client: retained messages, which a new SUBSCRIBE brings again. */
    async outgoingEnqueue() {
      // Not kept.
    },
    async outgoingUpdate({ id }: Owner, packet: Queued) {
      // A message that a limit kept out of the queue is delivered all the same, once.
      sessions.queue(id)?.sent(packet)
    },
    async outgoingClearMessageId({ id }: Owner, { messageId }: Acknowledgement) {
      // Without a packet id it was not sent now, but may well be still to be sent.
      return messageId === undefined ? undefined : sessions.queue(id)?.acknowledge(messageId)
    },
    outgoingStream({ id }: Owner) {
      const queued = sessions.queue(id)?.messages ?? []
      return Readable.from(queued.map((one) => ({ ...one, dup: one.messageId !== undefined })))
    },
  }
}

/** The guard has sent duplicates elsewhere already, so that a PUBLISH which comes here is new. */
function incomingFunctions({ handshakes }: Parts) {
  return {
    async incomingGetPacket({ id }: Owner, packet: Packet | PubrelPacket) {
      const { cmd, messageId } = packet
      if (cmd === 'publish' || messageId === undefined || !handshakes.has(id, messageId)) {
        throw new Error('no such packet')
      }
      return packet
    },
    async incomingStorePacket() {
      // Its id is all that matters, and the guard noted it.
    },
    async incomingDelPacket({ id }: Owner, { messageId }: Acknowledgement) {
      if (messageId !== undefined) handshakes.close(id, messageId)
    },
    async cleanIncoming({ id }: Owner) {
      handshakes.clear(id)
    },
  }
}

/** Aedes keeps each Will with its client; a store is for brokers that share one. */
const willFunctions = {
  async putWill() {
    // Not kept.
  },
  async delWill() {
    // Not kept.
  },
  streamWill: () => Readable.from([]),
}
