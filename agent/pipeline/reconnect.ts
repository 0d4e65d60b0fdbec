import { type MonoTypeOperatorFunction, retry, throwError, timer } from 'rxjs'
import { AgentError } from '../core/errors.ts'

/**
 * Exponential backoff with full jitter on the upper half: 0.5–1 × (base × 2^attempt), at most `maxMs`.
 * @param attempt from 0
 * @param random 0 ≤ r < 1
 */
export function backoffMs(attempt: number, random: number, baseMs = 500, maxMs = 30_000): number {
  const full = Math.min(baseMs * 2 ** attempt, maxMs)
  return full / 2 + (full / 2) * random
}

/** Resubscribes after a retryable failure, with backoff; any value resets it. */
export function reconnect<T>(
  onRetry: (error: AgentError, waitMs: number) => void,
): MonoTypeOperatorFunction<T> {
  return retry({
    resetOnSuccess: true,
    delay: (error: unknown, attempt: number) => {
      if (!(error instanceof AgentError) || !error.retryable) return throwError(() => error)
      const waitMs = backoffMs(attempt - 1, Math.random())
      onRetry(error, waitMs)
      return timer(waitMs)
    },
  })
}
