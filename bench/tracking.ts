import { tracker } from '../agent/tracking/tracker.ts'
import type { Item } from '../schemas/results.ts'
import { momentAt, seeded, shaky, steady, walker } from '../test/agent/tracking/world.ts'

/** What following objects costs per picture: `npx tsx bench/tracking.ts`. */

const ROUNDS = 7
const PICTURES = 600
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** Things that cross a 1920 × 1080 picture; where they meet, boxes lie over each other. */
function pictures(count: number): Item[][] {
  const random = seeded(count)
  const things = Array.from({ length: count }, (_, index) =>
    shaky(
      walker(
        `${index}`,
        [random() * 1920, random() * 1080],
        [random() * 80 - 40, random() * 40 - 20],
      ),
      random,
    ),
  )
  return steady(PICTURES).map((seconds) =>
    things.flatMap(({ boxAt }): Item[] => {
      const box = boxAt(seconds)
      return box ? [{ label: 'person', classId: 0, score: 0.3 + random() * 0.7, box }] : []
    }),
  )
}

function microseconds(seen: readonly Item[][]): number {
  const follower = tracker()
  const start = performance.now()
  for (const [index, items] of seen.entries()) follower.update(items, momentAt(index / 30), 0.5)
  return ((performance.now() - start) / seen.length) * 1000
}

for (const count of [1, 20, 100, 300]) {
  const seen = pictures(count)
  const rounds = Array.from({ length: ROUNDS + 2 }, () => microseconds(seen)).slice(2)
  const [least, most] = [Math.min(...rounds), Math.max(...rounds)].map(Math.round)
  process.stdout.write(
    `${count} objects: ${Math.round(median(rounds))} µs a picture (${least}–${most})\n`,
  )
}
