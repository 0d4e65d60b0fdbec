import type { Log } from '../core/log.ts'

/** What goes wrong with viewers without being a fault of this server. */
export type Mishap =
  | 'refusedConnections'
  | 'refusedViewers'
  | 'badRequests'
  | 'wrongPasswords'
  | 'laggingViewers'
  | 'lostViewers'
  | 'unsentDatagrams'

/** Counts mishaps and logs them together, at most once a second. */
export interface Tally {
  /** @param example names one of them: who, and why. */
  count(mishap: Mishap, example: string): void
  /** Logs what was not logged yet. */
  close(): void
}

const intervalMs = 1000

/** Counts into `log`, as warnings. */
export function tally(log: Log): Tally {
  let counts: Partial<Record<Mishap, { count: number; example: string }>> = {}
  let timer: NodeJS.Timeout | undefined

  function report(): void {
    timer = undefined
    if (Object.keys(counts).length > 0) log.warn({ ...counts }, 'trouble with viewers of video')
    counts = {}
  }
  return {
    count(mishap, example) {
      counts[mishap] = { count: (counts[mishap]?.count ?? 0) + 1, example }
      timer ??= setTimeout(report, intervalMs).unref()
    },
    close() {
      clearTimeout(timer)
      report()
    },
  }
}
