import type { Moment } from '../../../agent/tracking/media-clock.ts'
import type { TrackChange } from '../../../agent/tracking/track.ts'
import { tracker } from '../../../agent/tracking/tracker.ts'
import type { Box, Item } from '../../../schemas/results.ts'

/** A thing whose place is known at every time. */
export interface Thing {
  readonly name: string
  readonly label?: string
  /** Where a detector finds it at `seconds`; nothing while it is out of sight. */
  boxAt(seconds: number): Box | undefined
  /** Default 0.9. */
  scoreAt?(seconds: number): number
}

/** What a tracker made of a world. */
export interface Story {
  /** Per thing the track that it had in each picture that showed it; undefined: none. */
  readonly tracks: ReadonlyMap<string, readonly (number | undefined)[]>
  readonly events: readonly TrackChange[]
  /** Every picture's tracks. */
  readonly pictures: readonly (readonly number[])[]
}

const classes = ['person', 'dog', 'car']

/** Shows the things at each of `times` (seconds) to a tracker, and ends it. @param minScore default 0.5 */
export function follow(
  things: readonly Thing[],
  times: readonly number[],
  { minScore = 0.5, lowest = 0 }: { minScore?: number; lowest?: number } = {},
): Story {
  const follower = tracker()
  const tracks = new Map(things.map(({ name }): [string, (number | undefined)[]] => [name, []]))
  const events: TrackChange[] = []
  const pictures: number[][] = []
  for (const seconds of times) {
    const names = new Map<Box, string>()
    const items = things.flatMap((thing) => itemOf(thing, seconds, names))
    const seen = items.filter(({ score }) => score >= lowest)
    const picture = follower.update(seen, momentAt(seconds), minScore)
    const found = new Map(picture.items.map(({ box, track }) => [box, track]))
    for (const [box, name] of names) tracks.get(name)?.push(found.get(box))
    pictures.push(picture.items.flatMap(({ track }) => track ?? []))
    events.push(...picture.events)
  }
  events.push(...follower.end())
  return { tracks, events, pictures }
}

function itemOf(thing: Thing, seconds: number, names: Map<Box, string>): Item[] {
  const box = thing.boxAt(seconds)
  if (!box) return []
  names.set(box, thing.name)
  const label = thing.label ?? 'person'
  return [{ label, classId: classes.indexOf(label), score: thing.scoreAt?.(seconds) ?? 0.9, box }]
}

/** A person at `x`. */
export const item = (score: number, x = 100): Item => ({
  label: 'person',
  classId: 0,
  score,
  box: [x, 100, 60, 120],
})

/** A picture of a file: its source's clock, and a time of capture that does not count. */
export function momentAt(seconds: number): Moment {
  return { capturedAt: 1_790_000_000_000 + Math.round(seconds * 1000), pts: seconds }
}

/** `count` times, `fps` a second, from 0. */
export function steady(count: number, fps = 30): number[] {
  return Array.from({ length: count }, (_, index) => index / fps)
}

/** A thing on a straight way; its box's centre starts at `from` and moves by `speed` a second. */
export function walker(
  name: string,
  from: readonly [number, number],
  speed: readonly [number, number],
  [width, height]: readonly [number, number] = [60, 120],
): Thing {
  return {
    name,
    boxAt: (seconds) => [
      from[0] + speed[0] * seconds - width / 2,
      from[1] + speed[1] * seconds - height / 2,
      width,
      height,
    ],
  }
}

/** The thing, unseen from second `from` to second `to`. */
export function hidden(thing: Thing, from: number, to: number): Thing {
  return {
    ...thing,
    boxAt: (seconds) => (seconds >= from && seconds < to ? undefined : thing.boxAt(seconds)),
  }
}

/** The thing through a detector that is off by up to `part` of its size, and misses it at times. */
export function shaky(thing: Thing, random: () => number, part = 0.05, missed = 0): Thing {
  return {
    ...thing,
    boxAt(seconds) {
      const box = thing.boxAt(seconds)
      if (!box || random() < missed) return undefined
      const [x, y, width, height] = box
      const off = (size: number): number => (random() * 2 - 1) * part * size
      return [x + off(width), y + off(height), width + off(width), height + off(height)]
    },
  }
}

/** Numbers from 0 to 1, the same for the same seed (Mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The tracks that a thing had, without repeats. */
export function tracksOf(story: Story, name: string): (number | undefined)[] {
  return [...new Set(story.tracks.get(name))]
}
