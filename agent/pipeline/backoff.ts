/**
 * Exponential backoff with jitter: between half and all of `baseMs` × 2^attempt, at most `maxMs`.
 * @param attempt from 0
 * @param random 0 ≤ r < 1
 */
export function backoffMs(attempt: number, random: number, baseMs = 500, maxMs = 30_000): number {
  const full = Math.min(baseMs * 2 ** attempt, maxMs)
  return full / 2 + (full / 2) * random
}
