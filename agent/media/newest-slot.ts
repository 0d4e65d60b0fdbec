/** Room for one value, in which the newest wins: what a live source puts between itself and its taker. */
export interface NewestSlot<Value> {
  put(value: Value): void
  /** The value, as soon as there is one; nothing when `signal` is aborted first. One taker at a time. */
  take(signal: AbortSignal): Promise<Value | undefined>
}

/** An empty slot; `dropped` takes each value that a newer one replaced. */
export function newestSlot<Value>(dropped: (value: Value) => void): NewestSlot<Value> {
  let held: { readonly value: Value } | undefined
  let wake: (() => void) | undefined

  function takeHeld(): Value | undefined {
    const value = held?.value
    held = undefined
    return value
  }

  return {
    put(value) {
      if (held) dropped(held.value)
      held = { value }
      wake?.()
    },
    take(signal) {
      return new Promise((resolve) => {
        const settle = () => {
          wake = undefined
          signal.removeEventListener('abort', settle)
          resolve(takeHeld())
        }
        if (held || signal.aborted) {
          resolve(takeHeld())
          return
        }
        wake = settle
        signal.addEventListener('abort', settle)
      })
    },
  }
}
