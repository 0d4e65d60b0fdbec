import type { Carrier } from './carrier.ts'
import type { RtpBurst } from './packetizer.ts'
import { senderReport } from './rtcp.ts'

/** What one viewer gets of a stream: from a key picture on, and after each hole from the next one on. */
export interface Feed {
  /** Whether nothing can be sent before a key picture comes. */
  readonly waiting: boolean
  /** Since when more waits for the viewer than may; by `performance.now()`. */
  readonly fullSince: number | undefined
  take(burst: RtpBurst): void
  /** Begins with the next key picture. `begun` is called once, before anything is sent; see `Session.play`. */
  begin(begun: (first: RtpBurst | undefined) => void): void
  /** Calls what still waits for the beginning. */
  cease(): void
  /** Nothing waits any more. */
  emptied(): void
}

/** What a feed is made of. */
export interface FeedParts {
  readonly ssrc: number
  readonly playMs: number
  readonly reportMs: number
  readonly carrier: () => Carrier
  readonly lagging: () => void
}

/** A feed that waits for a key picture. */
export function createFeed({ ssrc, playMs, reportMs, carrier, lagging }: FeedParts): Feed {
  let needsKey = true
  let fullSince: number | undefined
  let begun: ((first: RtpBurst | undefined) => void) | undefined
  let timer: NodeJS.Timeout | undefined
  const report = reports(ssrc, reportMs)

  function settle(first: RtpBurst | undefined): void {
    clearTimeout(timer)
    const waiting = begun
    begun = undefined
    waiting?.(first)
  }

  return {
    get waiting() {
      return needsKey && fullSince === undefined
    },
    get fullSince() {
      return fullSince
    },
    take(burst) {
      if (fullSince !== undefined || (needsKey && !burst.key)) return
      settle(burst)
      needsKey = !carrier().send(burst)
      if (needsKey) {
        fullSince = performance.now()
        lagging()
      } else report(burst, carrier())
    },
    begin(call) {
      needsKey = true
      begun = call
      timer = setTimeout(() => settle(undefined), playMs)
    },
    cease: () => settle(undefined),
    emptied() {
      fullSince = undefined
    },
  }
}

/** Sends a report with the first burst and then now and again, each with the time of the burst that it follows. */
function reports(ssrc: number, everyMs: number) {
  let nextAt = 0
  let packets = 0
  let octets = 0
  return (burst: RtpBurst, carrier: Carrier): void => {
    packets += burst.packets.length
    octets += burst.octets
    const now = performance.now()
    if (now < nextAt) return
    nextAt = now + everyMs
    const { timestamp } = burst
    carrier.report(senderReport({ ssrc, at: Date.now(), timestamp, packets, octets }))
  }
}
