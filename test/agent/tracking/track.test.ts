import { describe, expect, it } from 'vitest'
import {
  follow,
  hidden,
  momentAt,
  type Story,
  seeded,
  shaky,
  steady,
  type Thing,
  walker,
} from './world.ts'

describe('tells of every track', () => {
  const lives = (story: Story, track: number) =>
    story.events.filter((event) => event.track === track).map(({ type }) => type)

  it.each([11, 12, 13, 14, 15])('one life, whatever happens (seed %i)', (seed) => {
    const random = seeded(seed)
    const crowd = Array.from({ length: 40 }, (_, index): Thing => {
      const way = walker(
        `thing ${index}`,
        [random() * 1000, random() * 600],
        [random() * 400 - 200, random() * 200 - 100],
        [20 + random() * 100, 20 + random() * 100],
      )
      const from = random() * 4
      const shown = { ...way, label: random() < 0.5 ? 'person' : 'dog' }
      return {
        ...shaky(hidden(shown, from, from + random() * 3), random, 0.2, 0.3),
        scoreAt: () => random(),
      }
    })
    const story = follow(crowd, steady(150, 20))
    const tracks = [...new Set(story.pictures.flat())]
    expect(tracks.length).toBeGreaterThan(20)
    expect(tracks.toSorted((a, b) => a - b)).toEqual(tracks.map((_, index) => index + 1))
    for (const picture of story.pictures) expect(new Set(picture).size).toBe(picture.length)
    for (const track of tracks) {
      const told = lives(story, track)
      expect([told[0], told.at(-1)]).toEqual(['new', 'end'])
      expect(told.slice(1, -1).every((type) => type === 'update')).toBe(true)
    }
    expect(follow(crowd.slice(0, 0), steady(3)).events).toEqual([])
  })

  it('updates at most once a second, and only of what moves or is seen better', () => {
    const dog = walker('moving', [100, 200], [60, 0])
    const rock = walker('still', [600, 200], [0, 0])
    const better = {
      ...walker('better', [600, 500], [0, 0]),
      scoreAt: (seconds: number) => (seconds < 2 ? 0.6 : 0.8),
    }
    const story = follow([dog, rock, better], steady(151))
    const updates = (track: number) =>
      story.events.filter((event) => event.track === track && event.type === 'update')
    expect(updates(1).map(({ lastAt }) => lastAt - momentAt(0).capturedAt)).toEqual([
      1000, 2000, 3000, 4000, 5000,
    ])
    expect(updates(2)).toEqual([])
    expect(updates(3).map(({ bestScore }) => bestScore)).toEqual([0.8])
  })

  it('the whole at its end: first and last time, pictures, best score and its box', () => {
    const thing: Thing = {
      ...hidden(walker('a', [100, 200], [60, 0]), 0.5, 0.8),
      scoreAt: (seconds) => (Math.abs(seconds - 1) < 0.01 ? 0.95 : 0.7),
    }
    const { events } = follow([thing], steady(21, 10))
    expect(events.at(-1)).toEqual({
      type: 'end',
      track: 1,
      label: 'person',
      classId: 0,
      firstAt: momentAt(0).capturedAt,
      lastAt: momentAt(2).capturedAt,
      frames: 18,
      box: thing.boxAt(2),
      bestScore: 0.95,
      bestBox: thing.boxAt(1),
    })
  })
})
