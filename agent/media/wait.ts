/** Who waits, by the signal that ends it: to add a listener and remove it each time costs more than all else here. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/** Resolves after `ms`, or at once when `signal` is aborted; never rejects. */
export function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || ms <= 0) return Promise.resolve()
  const others = waitingFor(signal)
  return new Promise((resolve) => {
    const aborted = () => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(() => {
      others.delete(aborted)
      resolve()
    }, ms)
    others.add(aborted)
  })
}

function waitingFor(signal: AbortSignal): Set<() => void> {
  const known = waiting.get(signal)
  if (known) return known
  const added = new Set<() => void>()
  waiting.set(signal, added)
  signal.addEventListener('abort', () => added.forEach((done) => void done()), { once: true })
  return added
}
