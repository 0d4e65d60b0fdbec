import type { VideoPacket } from '../core/video.ts'
import type { FromService } from './messages.ts'
import type { TakeVideo } from './video-pipe.ts'

/** What an event is worth when main falls behind. */
export interface OutgoingEvent {
  /** Below the service's own topics. */
  readonly path?: string
  /** A whole topic, for outputs that name one. */
  readonly topic?: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1
}

/** Child → main, with credits for events and video together: nothing piles up when main is slow. */
export interface Outbox {
  send(message: FromService): void
  /** @returns whether it was sent; a QoS 0 event is dropped, and counted, past the credit */
  event(event: OutgoingEvent): boolean
  /** @returns whether it was sent; past the credit a packet is dropped, and all that depend on it must be too */
  video(stream: number, packet: VideoPacket): boolean
  /** Main has published this many more bytes. */
  acknowledged(bytes: number): void
  /** Events dropped since the last call. */
  takeUndelivered(): number
}

/** Unacknowledged bytes past which QoS 0 events are dropped. */
export const CREDIT_BYTES = 1 << 20

/** Bytes that main publishes before it says so: a sixteenth of the credit. */
export const ACKNOWLEDGED_BYTES = CREDIT_BYTES >> 4

/** Main's side of the credits: saves up what it has published, so that few messages tell of it. */
export function acknowledger(tell: (bytes: number) => void): (bytes: number) => void {
  let untold = 0
  return (bytes) => {
    untold += bytes
    if (untold < ACKNOWLEDGED_BYTES) return
    tell(untold)
    untold = 0
  }
}

/**
 * @param post hands one message to main; must not throw
 * @param video hands one packet to main; must not throw
 */
export function outbox(post: (message: FromService) => void, video: TakeVideo): Outbox {
  let outstanding = 0
  let undelivered = 0
  return {
    send: post,
    event(event) {
      if (event.qos === 0 && outstanding > CREDIT_BYTES) {
        undelivered += 1
        return false
      }
      outstanding += event.payload.byteLength
      post({ type: 'event', ...event })
      return true
    },
    video(stream, packet) {
      if (outstanding > CREDIT_BYTES) return false
      outstanding += packet.data.byteLength
      video(stream, packet)
      return true
    },
    acknowledged(bytes) {
      outstanding = Math.max(0, outstanding - bytes)
    },
    takeUndelivered() {
      const count = undelivered
      undelivered = 0
      return count
    },
  }
}
