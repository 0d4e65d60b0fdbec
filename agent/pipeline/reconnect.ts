import { type MonoTypeOperatorFunction, retry, throwError, timer } from 'rxjs'
import { AgentError } from '../core/errors.ts'
import { backoffMs } from './backoff.ts'

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
