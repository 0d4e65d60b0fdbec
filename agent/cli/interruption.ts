const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const
type Signal = keyof typeof numbers

/**
 * Does work that Ctrl-C and its like end in good order: the first signal aborts, the second ends the
 * process at once, whatever it is doing.
 * @returns what the work returns; after a signal, 128 and its number, as shells have it
 */
export async function interruptible(
  work: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const abort = new AbortController()
  let exitCode: number | undefined
  const take = (signal: Signal) => {
    if (exitCode !== undefined) process.exit(exitCode)
    exitCode = 128 + numbers[signal]
    abort.abort(new Error(`stopped by ${signal}`))
  }
  const signals = Object.keys(numbers) as Signal[]
  for (const signal of signals) process.on(signal, take)
  try {
    const done = await work(abort.signal)
    return exitCode ?? done
  } catch (error) {
    // What was given up on a signal has not failed.
    if (exitCode === undefined) throw error
    return exitCode
  } finally {
    // After a signal the process is about to end; another one may still come before it has.
    if (exitCode === undefined) for (const signal of signals) process.off(signal, take)
  }
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
