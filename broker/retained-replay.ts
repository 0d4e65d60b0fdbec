import { setImmediate } from 'node:timers/promises'
import type { Client, Subscription } from 'aedes'
import type { Connection } from './connection.ts'
import type { RetainedMessage, RetainedMessages } from './retained-messages.ts'
import type { Qos } from './sessions.ts'

/** Unsent bytes above which the replay waits: with one turn more, still below where messages are dropped. */
const paceBytes = 128 * 1024
/** Work done before other clients have their turn: messages, and KiB of them. */
const turnCost = 256
/** What a scan of all topics costs. */
const scanCost = 100
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
  const pending = new Map<string, { readonly qos: Qos; readonly version: number }>()
  let running = false
  let budget = turnCost

  async function turn(cost: number): Promise<void> {
    if (budget < cost) {
      await setImmediate()
      budget = turnCost
    }
    if (connection.backlog() >= paceBytes) await connection.drained(paceBytes)
    budget -= cost
  }
  async function replay(filter: string, qos: Qos, version: number): Promise<void> {
    await turn(scanCost)
    for (const topic of retained.topics(filter)) {
      await turn(costOf(retained.get(topic)))
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
    budget = turnCost
    for (const [filter, { qos, version: newest }] of pending) {
      pending.delete(filter)
      await replay(filter, qos, newest)
    }
    running = false
  }
}

function costOf(message: RetainedMessage | undefined): number {
  return 1 + (message?.payload.length ?? 0) / 1024
}

function send(client: Client, topic: string, payload: Buffer, qos: Qos): void {
  const done = () => undefined // Its type calls it optional; Aedes calls it all the same.
  client.publish({ cmd: 'publish', dup: false, retain: true, topic, payload, qos }, done)
}

function lower(one: Qos, other: Qos): Qos {
  return one < other ? one : other
}
