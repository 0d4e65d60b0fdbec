import { fairQueue } from './fair-queue.ts'

/** Waiting jobs, in batches. Lanes take turns within a batch as they do from batch to batch. */
export interface BatchQueue<T> {
  /** Jobs of one batch, at most; at least 1. */
  limit: number
  push(lane: string, job: T): void
  /** These go before all others, each as a batch of its own. */
  pushAlone(jobs: readonly T[]): void
  /**
   * The next batch: empty where none waits, or where it is worth waiting for more.
   * @param takers how many could take it: what waits is shared out among them
   */
  next(takers: number): readonly T[]
  /** Takes every waiting job out. */
  drain(): readonly T[]
}

/**
 * An empty queue with a limit of 1.
 * @param waitMs how long a batch that is not full waits for more jobs; 0: it takes what waits already
 * @param due called when a batch has waited for so long
 */
export function batchQueue<T>(waitMs: number, due: () => void): BatchQueue<T> {
  const queue = fairQueue<T>()
  const alone: T[] = []
  let limit = 1
  let timer: NodeJS.Timeout | undefined
  /** So many of the waiting jobs wait for no more to come. */
  let ripe = 0

  const gathers = (): boolean => waitMs > 0 && limit > 1

  function ripen(): void {
    timer = undefined
    ripe = queue.size
    due()
  }

  function rest(): void {
    clearTimeout(timer)
    timer = undefined
    ripe = 0
  }

  return {
    get limit() {
      return limit
    },
    set limit(most) {
      limit = most
    },
    push(lane, job) {
      queue.push(lane, job)
      if (gathers()) timer ??= setTimeout(ripen, waitMs)
    },
    pushAlone(jobs) {
      alone.push(...jobs)
    },
    next(takers) {
      if (alone.length > 0) return alone.splice(0, 1)
      if (!gathers()) ripe = queue.size
      else if (queue.size >= limit) ripe = Math.max(ripe, limit)
      if (ripe === 0) return []
      const count = Math.min(limit, Math.ceil(queue.size / takers))
      const batch: T[] = []
      while (batch.length < count) batch.push(queue.next() as T)
      ripe = Math.max(0, ripe - count)
      if (queue.size === 0) rest()
      return batch
    },
    drain() {
      rest()
      return [...alone.splice(0), ...queue.drain()]
    },
  }
}
