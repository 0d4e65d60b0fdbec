import type { Bus } from '../core/bus.ts'
import type { ToService } from '../service/messages.ts'

/** Forwards pictures that clients publish to the process whose `mqtt:` sources ask for them. */
export interface ImageForwarder {
  feed(topic: string, on: boolean): void
  /** The process is gone, and its wishes with it. */
  clear(): void
}

/** Bytes on their way to a process past which pictures are dropped: the newest come soon enough. */
const MAX_QUEUED_BYTES = 8 << 20

/** @param queuedBytes bytes that the process has not taken yet */
export function imageForwarder(parts: {
  readonly bus: Bus
  queuedBytes(): number
  send(message: ToService): void
}): ImageForwarder {
  const subscriptions = new Map<string, () => void>()
  const clear = (): void => {
    for (const unsubscribe of subscriptions.values()) unsubscribe()
    subscriptions.clear()
  }
  return {
    feed(topic, on) {
      subscriptions.get(topic)?.()
      subscriptions.delete(topic)
      if (!on) return
      const unsubscribe = parts.bus.subscribe(topic, ({ payload }) => {
        if (parts.queuedBytes() > MAX_QUEUED_BYTES) return
        parts.send({ type: 'image', topic, payload, at: Date.now() })
      })
      subscriptions.set(topic, unsubscribe)
    },
    clear,
  }
}
