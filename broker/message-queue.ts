import type { Limits } from './limits.ts'

/** A message of QoS 1 or 2 on its way to one client, or the PUBREL that follows it. */
export interface Queued {
  readonly cmd: string
  /** Names the message within this broker. */
  readonly brokerCounter?: number
  readonly topic?: string
  readonly payload?: Buffer
  readonly qos?: number
  readonly retain?: boolean
  /** Set once it was sent. */
  messageId?: number | undefined
}

/** What one client has not acknowledged yet, in order. */
export interface MessageQueue {
  readonly messages: readonly Queued[]
  /** Returns false where a limit forbids it. */
  put(message: Queued): boolean
  /** Notes the packet id that a message was sent with, or replaces the message by its PUBREL. */
  sent(packet: Queued): void
  /** The client has it; returns what it was. */
  acknowledge(messageId: number): Queued | undefined
  clear(): void
}

/** Bytes in all queues that share it. */
export interface Usage {
  bytes: number
}

/** What a message costs besides its payload, roughly. */
const overheadBytes = 256

/** An empty queue that counts its bytes into `usage`. */
export function messageQueue(limits: Limits, usage: Usage): MessageQueue {
  const messages: Queued[] = []
  let bytes = 0

  function account(change: number): void {
    bytes += change
    usage.bytes += change
  }
  return {
    messages,
    put(message) {
      const more = size(message)
      const fits =
        messages.length < limits.queuedCount &&
        bytes + more <= limits.queuedBytes &&
        usage.bytes + more <= limits.allQueuedBytes
      if (!fits) return false
      messages.push({ ...message, messageId: undefined })
      account(more)
      return true
    },
    sent(packet) {
      const found = messages.findIndex((queued) => isSame(queued, packet))
      const queued = messages[found]
      if (!queued) return
      if (packet.cmd === 'publish') queued.messageId = packet.messageId
      else {
        messages[found] = packet
        account(size(packet) - size(queued))
      }
    },
    acknowledge(messageId) {
      const found = messages.findIndex((queued) => queued.messageId === messageId)
      if (found < 0) return
      const [taken] = messages.splice(found, 1)
      if (taken) account(-size(taken))
      return taken
    },
    clear() {
      messages.length = 0
      account(-bytes)
    },
  }
}

function isSame(queued: Queued, packet: Queued): boolean {
  if (packet.cmd === 'publish') return queued.brokerCounter === packet.brokerCounter
  return queued.messageId === packet.messageId
}

function size({ payload }: Queued): number {
  return overheadBytes + (payload?.length ?? 0)
}
