import { filterTree } from './filter-tree.ts'
import type { Limits } from './limits.ts'
import { type MessageQueue, messageQueue, type Queued } from './message-queue.ts'

/** Quality of service (MQTT 3.1.1, section 4.3). */
export type Qos = 0 | 1 | 2

/** What the broker keeps for clients that connect with clean = 0, in memory. */
export interface Sessions {
  filters(clientId: string): ReadonlyMap<string, Qos> | undefined
  addFilter(clientId: string, filter: string, qos: Qos): void
  removeFilter(clientId: string, filter: string): void
  queue(clientId: string): MessageQueue | undefined
  remove(clientId: string): void
  /** Clients with a filter of QoS 1 or 2 that matches. */
  subscribers(topic: string): string[]
  /** Queues a message for several clients; returns for how many a limit forbade it. */
  enqueue(clientIds: Iterable<string>, message: Queued): number
}

interface Session {
  readonly filters: Map<string, Qos>
  readonly queue: MessageQueue
}

/** @param connected whether a client is there now; a session in use is never given up. */
export function sessions(limits: Limits, connected: (clientId: string) => boolean): Sessions {
  const all = new Map<string, Session>()
  const tree = filterTree()
  const usage = { bytes: 0 }

  function remove(clientId: string): void {
    const session = all.get(clientId)
    for (const filter of session?.filters.keys() ?? []) tree.remove(filter, clientId)
    session?.queue.clear()
    all.delete(clientId)
  }
  function open(clientId: string): Session {
    const existing = all.get(clientId)
    const full = !existing && all.size >= limits.sessions
    const oldest = full ? [...all.keys()].find((id) => !connected(id)) : undefined
    if (oldest !== undefined) remove(oldest)
    const session = existing ?? { filters: new Map(), queue: messageQueue(limits, usage) }
    // Last in, so that the order is that of use.
    all.delete(clientId)
    all.set(clientId, session)
    return session
  }

  return {
    filters: (clientId) => all.get(clientId)?.filters,
    addFilter(clientId, filter, qos) {
      open(clientId).filters.set(filter, qos)
      if (qos > 0) tree.add(filter, clientId)
      else tree.remove(filter, clientId)
    },
    removeFilter(clientId, filter) {
      all.get(clientId)?.filters.delete(filter)
      tree.remove(filter, clientId)
    },
    queue: (clientId) => all.get(clientId)?.queue,
    remove,
    subscribers: (topic) => [...tree.match(topic)],
    enqueue(clientIds, message) {
      const ids = [...clientIds]
      if (ids.length === 0) return 0
      // A copy: the payload may be a view of a far larger buffer from the network.
      const kept = { ...message, payload: Buffer.from(message.payload ?? []) }
      return ids.filter((id) => all.get(id)?.queue.put(kept) !== true).length
    },
  }
}
