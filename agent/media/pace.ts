import { wait } from './wait.ts'

/** Holds samples back until their time has come. */
export interface Pace {
  /** Resolves when `pts` (seconds) is due, or at once when `signal` is aborted. */
  until(pts: number, signal: AbortSignal): Promise<void>
}

/** What tells the time; ms, monotonic. */
export interface Clock {
  now(): number
  wait(ms: number, signal: AbortSignal): Promise<void>
}

/** A taker this much behind, ms, is not made to catch up: time goes on from where it is. */
const patienceMs = 1000

/** A gap this long, ms, is a jump of the recording's clock and is not waited for. */
const longestWaitMs = 60_000

const realClock: Clock = { now: () => performance.now(), wait }

/** As fast as the recording plays. Nothing is ever dropped: a slow taker makes it play slower. */
export function realtimePace(clock: Clock = realClock): Pace {
  let startedAt: number | undefined
  return {
    async until(pts, signal) {
      const due = (startedAt ?? Number.NEGATIVE_INFINITY) + pts * 1000
      const early = due - clock.now()
      if (early < -patienceMs || early > longestWaitMs) startedAt = clock.now() - pts * 1000
      else await clock.wait(early, signal)
    },
  }
}

/** As fast as samples are asked for. */
export const noPace: Pace = { until: async () => undefined }

/** Picks at most `fps` samples a second of the recording: those whose time reaches the next one due. */
export function sampler(fps: number | undefined): (pts: number) => boolean {
  if (fps === undefined) return () => true
  let first: number | undefined
  let lastDue = -1
  return (pts) => {
    first ??= pts
    const due = Math.floor((pts - first) * fps + 1e-6)
    const clockWentBack = due < 0
    if (clockWentBack) first = pts
    else if (due <= lastDue) return false
    lastDue = Math.max(due, 0)
    return true
  }
}
