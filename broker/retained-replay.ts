import { setImmediate } from 'node:timers/promises'
import type { Client, Subscription } from 'aedes'
import type { Connection } from './connection.ts'
import type { RetainedMessages } from './retained-messages.ts'

/** Unsent bytes above which the replay waits: far below the limit at which messages are dropped. */
const paceBytes = 256 * 1024
const messagesPerTurn = 64
const REFUSED = 128

/**
 * Sends retained messages to one client after it subscribed, no faster than it reads and in small
 * portions. Aedes' own replay does neither, nor does it lower the QoS to what was granted.
 */
export function retainedReplay(
  client: Client,
  connection: Connection,
  retained: RetainedMessages,
): (granted: readonly Subscription[]) => Promise<void> {
  const pending = new Map<string, { readonly qos: 0 | 1 | 2; readonly version: number }>()
  let running = false

  async function replay(filter: string, qos: 0 | 1 | 2, version: number): Promise<void> {
    // One filter is one scan of all topics; other clients have their turn in between.
    await setImmediate()
    for (const [index, topic] of retained.topics(filter).entries()) {
      if (index % messagesPerTurn === 0) await setImmediate()
      await connection.drained(paceBytes)
      if (client.closed) return
      // What changed since the SUBSCRIBE was delivered as it happened.
      const message = retained.get(topic, version)
      if (message) send(client, message.topic, message.payload, lower(qos, message.qos))
    }
  }

  return async (granted) => {
    const version = retained.version()
    for (const { topic, qos } of granted) {
      if (Number(qos) !== REFUSED) pending.set(topic, { qos, version })
    }
    if (running) return
    running = true
    for (const [filter, { qos, version: newest }] of pending) {
      pending.delete(filter)
      await replay(filter, qos, newest)
    }
    running = false
  }
}

function send(client: Client, topic: string, payload: Buffer, qos: 0 | 1 | 2): void {
  const done = () => undefined // Its type calls it optional; Aedes calls it all the same.
  client.publish({ cmd: 'publish', dup: false, retain: true, topic, payload, qos }, done)
}

function lower(one: 0 | 1 | 2, other: 0 | 1 | 2): 0 | 1 | 2 {
  return one < other ? one : other
}
