/** How long, and how many, answers are remembered: a request may come again. */
const REMEMBERED_MS = 5 * 60_000
const MOST = 1000

/** Answers given, by request. A request that is still being carried out is remembered as well. */
export interface Answers<T> {
  /** The answer to this request, if it was asked before. */
  recall(key: string, now: number): Promise<T> | undefined
  remember(key: string, answer: Promise<T>, now: number): void
  forget(key: string): void
}

/** An empty memory. @see contract "Requests and replies" */
export function answers<T>(): Answers<T> {
  const known = new Map<string, { readonly answer: Promise<T>; readonly at: number }>()
  return {
    recall(key, now) {
      const entry = known.get(key)
      return entry && now - entry.at <= REMEMBERED_MS ? entry.answer : undefined
    },
    remember(key, answer, now) {
      known.delete(key)
      known.set(key, { answer, at: now })
      const [oldest] = known.keys()
      if (known.size > MOST && oldest !== undefined) known.delete(oldest)
    },
    forget: (key) => void known.delete(key),
  }
}
