/** A counted right to send: each message takes one, and the receiver gives it back when it took that message. */
export interface Credit {
  /** Waits for a right and takes it. @returns false when the signal was aborted: nothing is to be sent any more */
  take(): Promise<boolean>
  give(): void
}

/** @param count messages that may be on their way at once, at least 1 */
export function credit(count: number, signal: AbortSignal): Credit {
  const waiting: ((granted: boolean) => void)[] = []
  let left = count
  signal.addEventListener(
    'abort',
    () => {
      for (const refuse of waiting.splice(0)) refuse(false)
    },
    { once: true },
  )
  return {
    take() {
      if (signal.aborted) return Promise.resolve(false)
      if (left === 0) return new Promise((resolve) => waiting.push(resolve))
      left -= 1
      return Promise.resolve(true)
    },
    give() {
      const next = waiting.shift()
      if (next) next(true)
      else left = Math.min(count, left + 1)
    },
  }
}
