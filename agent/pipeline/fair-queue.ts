/**
 * Waiting jobs, by lane. Lanes take turns, so that a fast input never starves a slow one; jobs of the
 * priority lane go before all others.
 */
export interface FairQueue<T> {
  push(lane: string, job: T): void
  next(): T | undefined
  /** Takes every waiting job out. */
  drain(): T[]
  readonly size: number
}

/** The lane whose jobs go first: a person waits for them. */
export const PRIORITY_LANE = '$once'

/** An empty queue. */
export function fairQueue<T>(): FairQueue<T> {
  /** Insertion order is the order of turns: a lane that was served moves to the end. */
  const lanes = new Map<string, T[]>()
  let size = 0

  const take = (lane: string, jobs: T[]): T | undefined => {
    const job = jobs.shift()
    lanes.delete(lane)
    if (jobs.length > 0) lanes.set(lane, jobs)
    if (job !== undefined) size -= 1
    return job
  }

  return {
    get size() {
      return size
    },
    push(lane, job) {
      const jobs = lanes.get(lane)
      if (jobs) jobs.push(job)
      else lanes.set(lane, [job])
      size += 1
    },
    next() {
      const urgent = lanes.get(PRIORITY_LANE)
      if (urgent) return take(PRIORITY_LANE, urgent)
      const [first] = lanes
      return first && take(...first)
    },
    drain() {
      const all = [...lanes.values()].flat()
      lanes.clear()
      size = 0
      return all
    },
  }
}
