import type { Result } from '../../schemas/results.ts'

/** A result as it leaves, stamped with the time at which it does. */
export function resultJson(result: Result): string {
  return JSON.stringify({ ...result, publishedAt: Date.now() })
}
