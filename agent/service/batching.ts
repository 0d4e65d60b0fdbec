import type { Session } from '../core/stages.ts'
import type { Inference } from '../pipeline/results.ts'

/** How samples that wait share runs. */
export interface Batching {
  /** Samples of one run, at most; 0: what suits the provider. */
  readonly size: number
  /** How long a run waits for more samples, ms. */
  readonly waitMs: number
}

/** Every sample has a run of its own. */
export const alone: Batching = { size: 1, waitMs: 0 }

/**
 * Samples of one run where nothing else is asked for: on a processor, more gain nothing (see
 * docs/decisions/0014-batching.md), and TensorRT builds an engine for each number that it sees.
 */
const SUITING: Readonly<Record<string, number>> = { cuda: 4, webgpu: 4 }

/** What matters here of a session. */
export type SessionTraits = Pick<Session, 'provider' | 'hasBatchAxis'>

/** Samples of one run, at most, of a loaded model. */
export function batchLimit({ size }: Batching, { provider, hasBatchAxis }: SessionTraits): number {
  return hasBatchAxis ? size || (SUITING[provider] ?? 1) : 1
}

/** Whoever waits for a sample's result. */
export interface Waiter {
  settle(inference: Inference): void
  fail(error: unknown): void
}

/**
 * The members of a batch that failed, to be run alone, so that one bad sample fails alone.
 * @param blameless called when each of them has succeeded: it was sharing a run that failed
 */
export function setApart<T extends Waiter>(members: readonly T[], blameless: () => void): T[] {
  let open = members.length
  let clear = true
  const over = (well: boolean): void => {
    open -= 1
    clear &&= well
    if (open === 0 && clear) blameless()
  }
  return members.map((member) => ({
    ...member,
    settle(inference: Inference) {
      over(!inference.stale)
      member.settle(inference)
    },
    fail(error: unknown) {
      over(false)
      member.fail(error)
    },
  }))
}
