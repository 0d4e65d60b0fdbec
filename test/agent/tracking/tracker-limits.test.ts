import { describe, expect, it } from 'vitest'
import { tracker } from '../../../agent/tracking/tracker.ts'
import type { Item } from '../../../schemas/results.ts'
import { item, momentAt, seeded, steady } from './world.ts'

describe('tracker is safe from', () => {
  it('boxes and scores that are no numbers, or have no area', () => {
    const follower = tracker()
    const strange = [Number.NaN, Number.POSITIVE_INFINITY, 0, -5, 1e300].map(
      (side): Item => ({ ...item(0.9), box: [10, 10, side, 20] }),
    )
    for (const seconds of steady(10)) {
      const items = [...strange, { ...item(0.9), score: Number.NaN }, item(0.8)]
      const picture = follower.update(items, momentAt(seconds), 0.5)
      expect(picture.items.find(({ score }) => score === 0.8)?.track).toBeDefined()
    }
    for (const { box, bestBox } of follower.end()) {
      expect([...box, ...bestBox].every(Number.isFinite)).toBe(true)
    }
  })

  it('times that stand still, go back or are no numbers', () => {
    const follower = tracker()
    for (const pts of [0, 0, 5, 1, Number.NaN, 1.1, -3]) {
      const { items } = follower.update([item(0.9)], { capturedAt: 1000, pts }, 0.5)
      expect(items[0]?.track).toBe(1)
    }
  })

  it('a thousand boxes on one spot: it follows only so many, in bounded time', () => {
    const random = seeded(5)
    const follower = tracker()
    const started = performance.now()
    for (const seconds of steady(4)) {
      const heap = Array.from({ length: 1000 }, () => item(0.6 + random() * 0.4, random() * 40))
      const { items } = follower.update(heap, momentAt(seconds), 0.5)
      expect(items).toHaveLength(1000)
      expect(items.filter(({ track }) => track !== undefined).length).toBeLessThanOrEqual(300)
    }
    expect(performance.now() - started).toBeLessThan(8000)
    expect(follower.end()).toHaveLength(300)
  })

  it('a picture that fills up with strangers: the number of tracks stays bounded', () => {
    const follower = tracker({ maxTracks: 5 })
    for (let index = 0; index < 100; index += 1) {
      const strangers = Array.from({ length: 20 }, (_, at) => item(0.9, (index * 20 + at) * 100))
      follower.update(strangers, momentAt(index / 1000), 0.5)
    }
    expect(follower.end().length).toBeLessThanOrEqual(5)
  })
})
