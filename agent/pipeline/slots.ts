/** A counted number of places: bounds how many samples of one input are alive. */
export interface Slots {
  /** Waits for a free place and takes it. */
  take(): Promise<void>
  /** A taken place now holds a sample. */
  fill(): void
  /** Frees a place. @param filled whether it held a sample */
  give(filled: boolean): void
  /** Resolves when no place is taken. */
  idle(): Promise<void>
  /** Samples alive now. */
  readonly alive: number
}

/** @param count places, at least 1 */
export function slots(count: number): Slots {
  let taken = 0
  let alive = 0
  const waiting: (() => void)[] = []
  const idlers: (() => void)[] = []
  return {
    get alive() {
      return alive
    },
    take() {
      taken += 1
      if (taken <= count) return Promise.resolve()
      return new Promise((resolve) => waiting.push(resolve))
    },
    fill() {
      alive += 1
    },
    give(filled) {
      if (filled) alive -= 1
      taken -= 1
      waiting.shift()?.()
      if (taken === 0) for (const tell of idlers.splice(0)) tell()
    },
    idle: () => (taken === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
  }
}
