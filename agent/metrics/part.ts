/** What stands where something cannot be read. */
export interface Unavailable {
  /** Why. */
  readonly unavailable: string
}

/** How one part of the metrics is read. */
export interface PartOptions<T> {
  /** What it reads, for messages. */
  readonly name: string
  /** How long an answer is kept before it is read again, ms; default 0. */
  keepMs?(answer: T | Unavailable): number
  /** How long a reading may take before it is given up on, ms; default 2000. */
  readonly limitMs?: number
}

/**
 * A reader that never throws, never takes longer than its limit, and never runs twice at once: a
 * reading that hangs is waited for by the next call.
 */
export function part<T>(
  { name, keepMs = () => 0, limitMs = 2000 }: PartOptions<T>,
  read: () => Promise<T | Unavailable>,
): () => Promise<T | Unavailable> {
  let pending: Promise<T | Unavailable> | undefined
  let kept: { readonly answer: T | Unavailable; readonly until: number } | undefined
  const start = async (): Promise<T | Unavailable> => {
    try {
      return await read()
    } catch (error) {
      return { unavailable: `${name}: ${error instanceof Error ? error.message : String(error)}` }
    }
  }
  const settle = (answer: T | Unavailable) => {
    kept = { answer, until: performance.now() + keepMs(answer) }
    pending = undefined
    return answer
  }
  return () => {
    if (kept && performance.now() < kept.until) return Promise.resolve(kept.answer)
    pending ??= start().then(settle)
    return within(limitMs, pending, { unavailable: `${name}: no answer within ${limitMs} ms` })
  }
}

function within<T>(limitMs: number, promise: Promise<T>, late: T): Promise<T> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(late), limitMs)
    void promise.then((answer) => {
      clearTimeout(timer)
      resolve(answer)
    })
  })
}
