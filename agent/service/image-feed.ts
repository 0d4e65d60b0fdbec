import type { FromService } from './messages.ts'

/** A picture that somebody published, and when the agent got it (Unix ms). */
export interface FedImage {
  readonly payload: Uint8Array
  readonly at: number
}

/** Pictures published to topics, for `mqtt:` sources: main subscribes, this process listens. */
export interface ServiceImageFeed {
  subscribe(topic: string, take: (image: FedImage) => void): () => void
  /** Takes what main forwards. */
  arrived(topic: string, image: FedImage): void
}

/** @param send asks main to feed a topic, or to feed it no longer */
export function imageFeed(send: (message: FromService) => void): ServiceImageFeed {
  const takers = new Map<string, Set<(image: FedImage) => void>>()
  return {
    subscribe(topic, take) {
      const those = takers.get(topic) ?? new Set()
      if (those.size === 0) send({ type: 'feed', topic, on: true })
      takers.set(topic, those.add(take))
      return () => {
        those.delete(take)
        if (those.size > 0 || takers.get(topic) !== those) return
        takers.delete(topic)
        send({ type: 'feed', topic, on: false })
      }
    },
    arrived(topic, image) {
      for (const take of takers.get(topic) ?? []) take(image)
    },
  }
}
