import { describe, expect, it } from 'vitest'
import { boxOf, corrected, type Motion, motionAt, moved } from '../../../agent/tracking/motion.ts'
import type { Box } from '../../../schemas/results.ts'

/** A box that moves by 120 pixels a second to the right and 30 down, and grows by 10 a second. */
const boxAt = (seconds: number): Box => [
  100 + 120 * seconds,
  200 + 30 * seconds,
  50 + 10 * seconds,
  80 + 10 * seconds,
]

function afterSeeing(times: readonly number[]): Motion {
  let motion = motionAt(boxAt(times[0] ?? 0))
  for (const [index, seconds] of times.entries()) {
    const before = times[index - 1]
    if (before === undefined) continue
    motion = corrected(moved(motion, seconds - before, true), boxAt(seconds))
  }
  return motion
}

describe('motion', () => {
  it.each([
    ['regular', [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]],
    ['irregular', [0, 0.03, 0.3, 0.35, 0.36, 0.7, 0.9, 0.91, 1]],
  ])('learns place, size and their speeds at %s times', (_name, times) => {
    const predicted = boxOf(moved(afterSeeing(times), 0.2, true))
    for (const [index, value] of boxAt(1.2).entries()) {
      expect(Math.abs((predicted[index] ?? 0) - value)).toBeLessThan(2)
    }
  })

  it('grows less certain with time, and more certain when seen', () => {
    const seen = afterSeeing([0, 0.1, 0.2])
    const later = moved(seen, 0.5, true)
    expect(later.variance).toBeGreaterThan(seen.variance)
    expect(corrected(later, boxAt(0.7)).variance).toBeLessThan(later.variance)
  })

  it('moves in two steps as far as in one, and is as uncertain then', () => {
    const seen = afterSeeing([0, 0.1, 0.2])
    const [once, twice] = [moved(seen, 0.4, true), moved(moved(seen, 0.1, true), 0.3, true)]
    for (const [index, value] of once.values.entries())
      expect(twice.values[index]).toBeCloseTo(value)
    expect(twice.variance).toBeCloseTo(once.variance)
    expect(twice.covariance).toBeCloseTo(once.covariance)
    expect(twice.speedVariance).toBeCloseTo(once.speedVariance)
  })

  it('keeps the size of what is out of sight, and never turns a box inside out', () => {
    const seen = afterSeeing([0, 0.5, 1])
    expect(boxOf(moved(seen, 3, false)).slice(2)).toEqual(seen.values.slice(2))
    const shrinking = { ...seen, speeds: [0, 0, -100, -100] as const }
    expect(boxOf(moved(shrinking, 10, true)).slice(2)).toEqual([1, 1])
  })
})
