import { Aedes, type AedesOptions, type Client, type PublishPacket } from 'aedes'
import type { Limits } from './limits.ts'

/*
 * Everything that relies on how Aedes 1.2.0 works inside. test/broker/aedes-faults.test.ts shows
 * each fault on plain Aedes beside what this broker does.
 */

/** Aedes with the options that its faults call for. */
export function createAedes(limits: Limits, handlers: AedesOptions): Promise<Aedes> {
  return Aedes.createBroker({
    ...handlers,
    // A message waits in a queue when this many others are being written, so that one subscriber
    // that reads nothing stops the broker; 0 is no such queue.
    concurrency: 0,
    connectTimeout: limits.connectMs,
    // Ours come first, and do not end the connection: these are the ceilings of what is inside.
    maxTopicLevels: 100,
    maxInflightInbound: 0,
  })
}

/**
 * Stops Aedes from comparing message counters. It keeps the highest one that a client was sent and
 * drops whatever comes with a lower one; but QoS 0, QoS 1 and retained messages of one publisher
 * take ways of different length, and overtake each other. `deliveryWindow` is the exact test.
 */
export function ignoreDeliveryOrder(client: Client, brokerId: string): void {
  const { duplicates } = client as Client & { readonly duplicates: Record<string, number> }
  Object.defineProperty(duplicates, brokerId, { get: () => 0, set: () => undefined })
}

/** Tells whether a message is new to a client that several of its filters may deliver it to. */
export function deliveryWindow(size = 256): (counter: number) => boolean {
  const recent = new Set<number>()
  return (counter) => {
    if (recent.has(counter)) return false
    recent.add(counter)
    const [oldest] = recent
    if (recent.size > size && oldest !== undefined) recent.delete(oldest)
    return true
  }
}

/**
 * Makes Aedes acknowledge a publish as ever, and deliver it to nobody: an error from
 * `authorizePublish` would end the connection. Aedes documents that a packet may be changed there.
 */
export function divert(packet: PublishPacket): void {
  packet.topic = '$SYS/refused'
  packet.payload = Buffer.alloc(0)
  packet.retain = false
}

/** Makes the publisher known to the retained store, which Aedes calls before it adds `clientId` itself. */
export function markPublisher(packet: PublishPacket, client: Client): void {
  Object.assign(packet, { clientId: client.id })
}
