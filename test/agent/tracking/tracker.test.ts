import { describe, expect, it } from 'vitest'
import { tracker } from '../../../agent/tracking/tracker.ts'
import type { Item } from '../../../schemas/results.ts'
import {
  follow,
  hidden,
  item,
  momentAt,
  type Story,
  seeded,
  shaky,
  steady,
  type Thing,
  tracksOf,
  walker,
} from './world.ts'

/** How often a thing came back under another track. */
function switches(story: Story, names: readonly string[]): number {
  return names.reduce((sum, name) => {
    const tracks = (story.tracks.get(name) ?? []).filter((track) => track !== undefined)
    return sum + tracks.filter((track, at) => at > 0 && track !== tracks[at - 1]).length
  }, 0)
}

describe('tracker', () => {
  it('keeps the numbers of things that go straight, counted from 1, from the first picture on', () => {
    const story = follow(
      [
        walker('a', [100, 200], [150, 0]),
        walker('b', [900, 500], [-100, 40]),
        walker('still', [500, 100], [0, 0]),
      ],
      steady(90),
    )
    expect(['a', 'b', 'still'].map((name) => tracksOf(story, name))).toEqual([[1], [2], [3]])
  })

  it('keeps two of a class apart that go through each other, though one is hidden meanwhile', () => {
    const left = walker('left', [100, 300], [200, 0])
    const right = walker('right', [700, 310], [-200, 0])
    // They meet after 1.5 s; their boxes touch for 0.3 s.
    const story = follow([left, hidden(right, 1.4, 1.6)], steady(90))
    expect([tracksOf(story, 'left'), tracksOf(story, 'right')]).toEqual([[1], [2]])
  })

  it.each([60, 90, 120, 150, 180])(
    'has the numbers right after two alike crossed at %i degrees, one exactly over the other',
    (angle) => {
      const turn = (angle * Math.PI) / 180
      const [x, y] = [Math.cos(turn), Math.sin(turn)]
      for (let seed = 0; seed < 10; seed += 1) {
        const random = seeded(seed)
        const one = walker('one', [300, 400], [200, 0], [80, 80])
        const two = walker('two', [600 - 300 * x, 400 - 300 * y], [200 * x, 200 * y], [80, 80])
        const story = follow([shaky(one, random), shaky(two, random)], steady(91))
        const ends = ['one', 'two'].map((name) => story.tracks.get(name)?.at(-1))
        expect([seed, ...ends]).toEqual([seed, 1, 2])
      }
    },
  )

  it.each([0.2, 0.5, 1])('knows a moving thing again after %f s out of sight', (gap) => {
    const story = follow([hidden(walker('a', [100, 200], [180, 30]), 1, 1 + gap)], steady(90))
    expect(tracksOf(story, 'a')).toEqual([1])
    expect(story.events.filter(({ type }) => type !== 'update')).toHaveLength(2)
  })

  it('takes a thing that was away for longer for another one', () => {
    const story = follow([hidden(walker('a', [100, 200], [0, 0]), 1, 3)], steady(120))
    expect(tracksOf(story, 'a')).toEqual([1, undefined, 2])
  })

  it('ends a track a second and a half after its thing was last seen, whatever the frame rate', () => {
    for (const fps of [5, 30]) {
      const follower = tracker()
      const ends = steady(4 * fps, fps).flatMap((seconds) => {
        const seen = seconds < 1 ? [item(0.9)] : []
        const { events } = follower.update(seen, momentAt(seconds), 0.5)
        return events.filter(({ type }) => type === 'end').map((event) => ({ ...event, seconds }))
      })
      expect(ends).toHaveLength(1)
      const lastSeen = (fps - 1) / fps
      const [end] = ends
      expect(end?.lastAt).toBe(momentAt(lastSeen).capturedAt)
      expect(end?.seconds).toBeGreaterThan(lastSeen + 1.5)
      expect(end?.seconds).toBeLessThan(lastSeen + 1.5 + 1.5 / fps)
    }
  })

  describe('with scores that dip', () => {
    /** It turns round while its score is low, for longer than a track lives unseen. */
    const dips = (name: string, from: number): Thing => ({
      name,
      boxAt: (seconds) => [from + 100 * Math.sin(seconds), 200, 60, 120],
      scoreAt: (seconds) => (seconds > 1 && seconds < 3 ? 0.3 : 0.9),
    })

    it('keeps the number by the low threshold, and reports the item meanwhile', () => {
      const story = follow([dips('a', 300)], steady(150))
      expect(tracksOf(story, 'a')).toEqual([1])
    })

    it('would lose it by the high threshold alone', () => {
      const story = follow([dips('a', 300)], steady(150), { lowest: 0.5 })
      expect(tracksOf(story, 'a')).toEqual([1, undefined, 2])
    })

    it('gives a certain item to the object before an uncertain one, though that lies better', () => {
      const follower = tracker()
      follower.update([item(0.9, 100)], momentAt(0), 0.5)
      const { items } = follower.update([item(0.9, 110), item(0.2, 100)], momentAt(0.04), 0.5)
      expect(items).toEqual([{ ...item(0.9, 110), track: 1 }])
    })
  })

  it('never begins a track with a low score, and drops low items that are nobody', () => {
    const follower = tracker()
    for (const seconds of steady(30)) {
      const low = follower.update([item(0.49)], momentAt(seconds), 0.5)
      expect(low).toEqual({ items: [], events: [] })
    }
    expect(follower.end()).toEqual([])
  })

  it('begins a track after the first picture only when a thing was seen twice in a row', () => {
    const follower = tracker()
    const at = (index: number, items: Item[]) => follower.update(items, momentAt(index / 30), 0.5)
    at(0, [])
    expect(at(1, [item(0.9)])).toEqual({ items: [item(0.9)], events: [] })
    at(2, [])
    expect(at(3, [item(0.8)]).items).toEqual([item(0.8)])
    const { items, events } = at(4, [item(0.9)])
    expect(items).toEqual([{ ...item(0.9), track: 1 }])
    expect(events).toEqual([
      {
        type: 'new',
        track: 1,
        label: 'person',
        classId: 0,
        firstAt: momentAt(3 / 30).capturedAt,
        lastAt: momentAt(4 / 30).capturedAt,
        frames: 2,
        box: item(0.9).box,
        bestScore: 0.9,
        bestBox: item(0.9).box,
      },
    ])
  })

  it('follows through irregular times and pictures that were skipped', () => {
    const random = seeded(7)
    const times = [0]
    while ((times.at(-1) ?? 0) < 6) times.push((times.at(-1) ?? 0) + 0.01 + random() ** 3 * 0.5)
    const things = [
      walker('a', [100, 200], [100, 20]),
      walker('b', [900, 560], [-90, -10]),
      walker('c', [100, 400], [60, 0]),
    ]
    const story = follow(things, times)
    expect(things.map(({ name }) => tracksOf(story, name))).toEqual([[1], [2], [3]])
  })

  it('goes by real times: frames that jump ahead are predicted ahead', () => {
    // 200 pixels/s by a 60 pixel wide thing: after 0.6 s nothing of the old place is left.
    const times = [...steady(30), 1.57, 1.6, 2.2, 2.23, 2.8]
    expect(tracksOf(follow([walker('a', [100, 200], [200, 0])], times), 'a')).toEqual([1])
  })

  it('follows things that come into the picture and leave it', () => {
    const train = Array.from({ length: 8 }, (_, index): Thing => {
      const whole = walker(`thing ${index}`, [-60 - index * 300, 200], [300, 0])
      return {
        ...whole,
        boxAt(seconds) {
          const [x, y, width, height] = whole.boxAt(seconds) ?? [0, 0, 0, 0]
          const [left, right] = [Math.max(0, x), Math.min(640, x + width)]
          return right - left < 6 ? undefined : [left, y, right - left, height]
        },
      }
    })
    const story = follow(train, steady(360))
    const seen = train.map(({ name }) => tracksOf(story, name).filter((track) => track))
    expect(seen).toEqual(train.map((_, index) => [index + 1]))
    expect(story.events.filter(({ type }) => type === 'end')).toHaveLength(8)
  })

  it('keeps classes apart that lie over each other', () => {
    const rider = { ...walker('rider', [100, 200], [150, 0]), label: 'person' }
    const horse = { ...walker('horse', [104, 204], [150, 0]), label: 'dog' }
    const random = seeded(3)
    const story = follow([shaky(rider, random), shaky(horse, random)], steady(120))
    expect([tracksOf(story, 'rider'), tracksOf(story, 'horse')]).toEqual([[1], [2]])
  })

  it('never confuses a hundred things that wander, each on its own ground', () => {
    for (const seed of [1, 2, 3]) {
      const random = seeded(seed)
      const crowd = Array.from({ length: 100 }, (_, index): Thing => {
        const [left, top] = [(index % 10) * 190, Math.floor(index / 10) * 105]
        const phase = random() * 6
        const [fast, slow] = [0.5 + random(), 0.3 + random()]
        return shaky(
          {
            name: `thing ${index}`,
            boxAt: (seconds) => [
              left + 60 * (1 + Math.sin(phase + fast * seconds)),
              top + 25 * (1 + Math.cos(phase + slow * seconds)),
              50,
              45,
            ],
          },
          random,
          0.05,
          0.1,
        )
      })
      const story = follow(crowd, steady(150))
      const names = crowd.map(({ name }) => name)
      expect(switches(story, names)).toBe(0)
      expect(new Set(story.pictures.flat()).size).toBe(100)
    }
  })

  it('begins anew after an end, with numbers that were not used', () => {
    const follower = tracker()
    follower.update([item(0.9)], momentAt(0), 0.5)
    expect(follower.end().map(({ type, track }) => [type, track])).toEqual([['end', 1]])
    expect(follower.end()).toEqual([])
    const { items, events } = follower.update([item(0.9)], momentAt(0.04), 0.5)
    expect(items[0]?.track).toBe(2)
    expect(events.map(({ type }) => type)).toEqual(['new'])
  })
})
