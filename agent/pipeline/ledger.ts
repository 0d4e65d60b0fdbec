import type { StageMs } from '../../schemas/results.ts'
import type { InputStats, Quantiles } from '../../schemas/state.ts'

/** Counts and latencies of one input, emptied once a second. */
export interface Ledger {
  read(): void
  inferred(ms: StageMs): void
  dropped(): void
  failed(): void
  /** Failures of this run. */
  readonly failures: number
  /** Samples inferred in this run: the next `seq`. */
  readonly total: number
  /** What happened since the last call. @param alive samples held now */
  take(alive: number): InputStats
}

/** A ledger of a new run. */
export function ledger(): Ledger {
  let counts = { in: 0, inferred: 0, dropped: 0, failed: 0 }
  let samples: StageMs[] = []
  let total = 0
  let failures = 0
  return {
    get total() {
      return total
    },
    get failures() {
      return failures
    },
    read() {
      counts.in += 1
    },
    dropped() {
      counts.dropped += 1
    },
    failed() {
      counts.failed += 1
      failures += 1
    },
    inferred(ms) {
      counts.inferred += 1
      total += 1
      samples.push(ms)
    },
    take(alive) {
      const stats = { ...counts, alive, total, ms: quantilesOf(samples) }
      counts = { in: 0, inferred: 0, dropped: 0, failed: 0 }
      samples = []
      return stats
    },
  }
}

const stages = ['decode', 'queue', 'preprocess', 'infer', 'postprocess'] as const

function quantilesOf(samples: readonly StageMs[]): Record<string, Quantiles> {
  if (samples.length === 0) return {}
  return Object.fromEntries(
    stages.map((stage) => [stage, quantiles(samples.map((ms) => ms[stage]))]),
  )
}

/** p50, p95 and p99 of at least one value, by nearest rank. */
export function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b)
  const rank = (q: number): number => sorted[Math.ceil(q * sorted.length) - 1] ?? 0
  return { p50: rank(0.5), p95: rank(0.95), p99: rank(0.99) }
}
