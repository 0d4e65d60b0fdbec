import { randomBytes } from 'node:crypto'
import type { Carrier } from './carrier.ts'
import { createFeed, type Feed } from './feed.ts'
import type { RtspLimits } from './limits.ts'
import type { RtpBurst } from './packetizer.ts'
import { goodbye } from './rtcp.ts'
import type { OfferedStream, Viewer } from './stream.ts'

/** What a session is made of. */
export interface SessionParts {
  /** Of the viewer. */
  readonly address: string
  readonly stream: OfferedStream
  readonly limits: Pick<RtspLimits, 'setupMs' | 'sessionMs' | 'orphanMs' | 'playMs' | 'reportMs'>
  /** Makes what brings the packets; it calls `emptied` after a refusal, when nothing waits any more. */
  readonly carrier: (emptied: () => void) => Carrier
  /** Too much waits for this viewer: it skips to the next key picture. */
  readonly lagging: () => void
  /** `polite`: as in `end`. */
  readonly ended: (session: Session, polite: boolean) => void
}

/** One viewer's claim to one stream, from SETUP to TEARDOWN (RFC 2326, appendix A.2). */
export class Session {
  readonly id = randomBytes(12).toString('hex')
  /** Only from this address it can be controlled. */
  readonly address: string
  readonly stream: OfferedStream
  readonly carrier: Carrier
  readonly #parts: SessionParts
  readonly #feed: Feed
  readonly #viewer: Viewer
  #state: 'ready' | 'playing' | 'ended' = 'ready'
  #played = false
  #aliveUntil: number

  constructor(parts: SessionParts) {
    const { address, stream, limits } = parts
    this.#parts = parts
    this.address = address
    this.stream = stream
    const feed = createFeed({
      ssrc: stream.ssrc,
      ...limits,
      carrier: () => this.carrier,
      lagging: parts.lagging,
    })
    this.#feed = feed
    this.#viewer = {
      get waiting() {
        return feed.waiting
      },
      take: (burst) => feed.take(burst),
      ended: () => this.end(true),
    }
    this.carrier = parts.carrier(() => this.#emptied())
    this.#aliveUntil = performance.now() + limits.setupMs
  }

  get state(): 'ready' | 'playing' | 'ended' {
    return this.#state
  }

  /** Whether it was ever played. */
  get played(): boolean {
    return this.#played
  }

  /** The viewer showed that it is there. That alone does not keep a session that was never played. */
  alive(): void {
    if (this.#played) this.#aliveUntil = performance.now() + this.#parts.limits.sessionMs
  }

  /** Its connection closed; a viewer by UDP may go on without. */
  orphaned(): void {
    const until = performance.now() + this.#parts.limits.orphanMs
    this.#aliveUntil = Math.min(this.#aliveUntil, until)
  }

  /** Whether the viewer is to be given up. Who plays over a connection is there as long as it takes what is sent. */
  expired(now: number): boolean {
    if (this.#state !== 'playing' || this.carrier.kind === 'udp') return now > this.#aliveUntil
    const { fullSince } = this.#feed
    return fullSince !== undefined && now > fullSince + this.#parts.limits.sessionMs
  }

  /**
   * Sends from the next key picture on. `begun` is called once, before anything is sent; without a burst
   * where none came in time, where the session plays already, or ends.
   */
  play(begun: (first: RtpBurst | undefined) => void): void {
    if (this.#state !== 'ready') {
      begun(undefined)
      return
    }
    this.#state = 'playing'
    this.#played = true
    this.alive()
    this.#feed.begin(begun)
    this.stream.join(this.#viewer)
  }

  /** Sends nothing until it is played again. */
  pause(): void {
    if (this.#state !== 'playing') return
    this.#state = 'ready'
    this.#feed.cease()
    this.stream.leave(this.#viewer)
  }

  /** Sends nothing any more. `polite` says goodbye first: the viewer did not ask for the end. */
  end(polite: boolean): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#feed.cease()
    this.stream.leave(this.#viewer)
    if (polite) this.carrier.report(goodbye(this.stream.ssrc))
    this.carrier.close()
    this.#parts.ended(this, polite)
  }

  #emptied(): void {
    this.#feed.emptied()
    if (this.#state === 'playing') this.stream.askKey()
  }
}
