import { filterTree } from './filter-tree.ts'
import type { Limits } from './limits.ts'

/** A message that new subscribers are told at once. */
export interface RetainedMessage {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: 0 | 1 | 2
  /** The client that published it; absent: the agent itself. */
  readonly clientId?: string
}

/** The last retained message of each topic, in memory. */
export interface RetainedMessages {
  /** Keeps a message, or forgets the topic if the payload is empty. Returns false where a limit forbids it. */
  store(message: RetainedMessage): boolean
  /** The message of `topic`, if it is not newer than `version`. */
  get(topic: string, version?: number): RetainedMessage | undefined
  /** Topics with a retained message that `filter` matches. */
  topics(filter: string): string[]
  /** Grows with each message that is stored. */
  version(): number
}

interface Kept extends RetainedMessage {
  readonly version: number
}

/** @param limits bound what clients leave; the agent's own messages are bounded by what it does. */
export function retainedMessages(limits: Limits): RetainedMessages {
  const messages = new Map<string, Kept>()
  let count = 0
  let bytes = 0
  let version = 0

  function forget(topic: string): void {
    const old = messages.get(topic)
    if (!old) return
    messages.delete(topic)
    count -= foreign(old)
    bytes -= foreign(old) * size(old)
  }
  function fits(message: RetainedMessage): boolean {
    const old = messages.get(message.topic)
    const [oldCount, oldBytes] = old ? [foreign(old), foreign(old) * size(old)] : [0, 0]
    return (
      count - oldCount < limits.retainedCount &&
      bytes - oldBytes + size(message) <= limits.retainedBytes
    )
  }

  return {
    store(message) {
      const clears = message.payload.length === 0
      const kept = clears || message.clientId === undefined || fits(message)
      if (!kept) return false
      forget(message.topic)
      if (clears) return true
      // A copy: the payload may be a view of a far larger buffer from the network.
      const payload = Buffer.from(message.payload)
      version += 1
      messages.set(message.topic, { ...message, payload, version })
      count += foreign(message)
      bytes += foreign(message) * size(message)
      return true
    },
    get(topic, newest = version) {
      const message = messages.get(topic)
      return message && message.version <= newest ? message : undefined
    },
    topics(filter) {
      if (!/[+#]/.test(filter)) return messages.has(filter) ? [filter] : []
      const tree = filterTree()
      tree.add(filter, filter)
      return [...messages.keys()].filter((topic) => tree.match(topic).size > 0)
    },
    version: () => version,
  }
}

function foreign(message: RetainedMessage): 0 | 1 {
  return message.clientId === undefined ? 0 : 1
}

function size({ topic, payload }: RetainedMessage): number {
  return topic.length + payload.length
}
