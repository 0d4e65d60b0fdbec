import { performance } from 'node:perf_hooks'

/** Where work of one kind is done, such as decoding the packets of one video. */
export interface Workplace {
  /** The same work, done on this thread by `here` or on another one by `elsewhere`. */
  do<T>(here: () => T, elsewhere: () => Promise<T>): T | Promise<T>
}

/** For work that is not urgent. */
export const onOtherThreads: Workplace = { do: (_here, elsewhere) => elsewhere() }

/** What tells how busy this thread is; ms. */
export interface ThreadClock {
  /** Monotonic. */
  now(): number
  /** How long this thread has been busy so far. */
  busyMs(): number
}

/** Of its time, this thread is busy with whatever it does; the rest is for what comes unforeseen. */
const BUSY_SHARE = 0.75
/** Work that takes longer than this, ms, would keep everything else waiting for too long. */
const LONGEST_MS = 20
/** Spare time that was not used is saved up to here, ms. */
const MOST_SAVED_MS = 40
/** How busy this thread is with other things is looked at so often, ms. */
const LOOK_MS = 250

const thisThread: ThreadClock = {
  now: () => performance.now(),
  busyMs: () => performance.eventLoopUtilization().active,
}

/**
 * The time that this thread has to spare for work of some milliseconds that another thread could do as well. To
 * hand a picture to a thread that sleeps, on a core whose caches know nothing of it, and to be woken
 * when it is done takes a quarter more of the processor than to decode or encode it at once. Where this thread
 * has too much to do, for many inputs say, others do the work, on all cores.
 */
export class SpareTime {
  readonly #clock: ThreadClock
  #saved = 0
  #savedAt: number
  /** Spare ms for each ms that passes. */
  #share = 0
  #lookedAt: number
  #busyThen: number
  /** Of the busy time since then, what was spare time that was used. */
  #usedSince = 0

  constructor(clock: ThreadClock = thisThread) {
    this.#clock = clock
    this.#savedAt = this.#lookedAt = clock.now()
    this.#busyThen = clock.busyMs()
  }

  /** For work of a further kind. How long that takes is learnt: the first time, another thread does it. */
  workplace(): Workplace {
    let usualMs = Number.POSITIVE_INFINITY
    const learn = (ms: number): void => {
      usualMs = usualMs === Number.POSITIVE_INFINITY ? ms : usualMs + (ms - usualMs) / 8
    }
    return {
      do: (here, elsewhere) => {
        const startedAt = this.#clock.now()
        if (usualMs > LONGEST_MS || usualMs > this.#savedBy(startedAt)) {
          return elsewhere().finally(() => learn(this.#clock.now() - startedAt))
        }
        try {
          return here()
        } finally {
          const ms = this.#clock.now() - startedAt
          learn(ms)
          this.#saved -= ms
          this.#usedSince += ms
        }
      },
    }
  }

  #savedBy(now: number): number {
    this.#saved = Math.min(MOST_SAVED_MS, this.#saved + (now - this.#savedAt) * this.#share)
    this.#savedAt = now
    if (now - this.#lookedAt >= LOOK_MS) this.#look(now)
    return this.#saved
  }

  #look(now: number): void {
    const busy = this.#clock.busyMs()
    const otherwise = busy - this.#busyThen - this.#usedSince
    this.#share = Math.max(0, BUSY_SHARE - otherwise / (now - this.#lookedAt))
    this.#lookedAt = now
    this.#busyThen = busy
    this.#usedSince = 0
  }
}
