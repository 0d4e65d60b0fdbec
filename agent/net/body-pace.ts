import type { IncomingMessage } from 'node:http'

/** How slowly a body may arrive. */
export interface PaceLimits {
  readonly bodyBytesPerSecond: number
  readonly bodyStallMs: number
}

/** Watches the bodies of requests that are under way. */
export interface BodyPace {
  /** Follows the body of a request until it is complete or its connection is closed. */
  follow(request: IncomingMessage): void
  close(): void
}

interface Followed {
  bytes: number
  since: number
}

/** Calls `tooSlow` once for a body that arrives more slowly than it must. */
export function bodyPace(
  { bodyBytesPerSecond, bodyStallMs }: PaceLimits,
  tooSlow: (request: IncomingMessage) => void,
): BodyPace {
  const followed = new Map<IncomingMessage, Followed>()
  let timer: NodeJS.Timeout | undefined
  const least = (bodyBytesPerSecond * bodyStallMs) / 1000

  function judge(request: IncomingMessage, state: Followed, now: number): void {
    const { complete, socket, readableLength } = request
    if (complete || socket.destroyed) {
      followed.delete(request)
    } else if (readableLength > 0 || socket.bytesRead - state.bytes >= least) {
      // What is there and not read yet is our delay, not the client's.
      Object.assign(state, { bytes: socket.bytesRead, since: now })
    } else if (now - state.since >= bodyStallMs) {
      followed.delete(request)
      tooSlow(request)
    }
  }
  function look(): void {
    const now = performance.now()
    for (const [request, state] of followed) judge(request, state, now)
    if (followed.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
  return {
    follow(request) {
      followed.set(request, { bytes: request.socket.bytesRead, since: performance.now() })
      timer ??= setInterval(look, Math.min(1000, bodyStallMs / 2)).unref()
    },
    close: () => clearInterval(timer),
  }
}
