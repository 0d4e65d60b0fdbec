import type { Log } from '../core/log.ts'

/** Counts mishaps of a server's clients and logs them together, at most once a second. */
export interface Tally<Mishap extends string> {
  /** How often each has happened so far. */
  readonly totals: Readonly<Partial<Record<Mishap, number>>>
  /** @param example names one of them: who, and why. */
  count(mishap: Mishap, example: string): void
  /** Logs what was not logged yet. */
  close(): void
}

const intervalMs = 1000

/** Counts into `log`, as warnings that say `message`. */
export function tally<Mishap extends string>(log: Log, message: string): Tally<Mishap> {
  let counts: Partial<Record<Mishap, { count: number; example: string }>> = {}
  let timer: NodeJS.Timeout | undefined
  const totals: Partial<Record<Mishap, number>> = {}

  function report(): void {
    timer = undefined
    if (Object.keys(counts).length > 0) log.warn({ ...counts }, message)
    counts = {}
  }
  return {
    totals,
    count(mishap, example) {
      totals[mishap] = (totals[mishap] ?? 0) + 1
      counts[mishap] = { count: (counts[mishap]?.count ?? 0) + 1, example }
      timer ??= setTimeout(report, intervalMs).unref()
    },
    close() {
      clearTimeout(timer)
      report()
    },
  }
}
