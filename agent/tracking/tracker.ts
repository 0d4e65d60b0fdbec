import type { Item } from '../../schemas/results.ts'
import { associate } from './association.ts'
import { type Moment, mediaClock } from './media-clock.ts'
import { Track, type TrackChange } from './track.ts'

/** Scores from here on help to follow an object that is known already. */
export const TRACKED_SCORE = 0.1

/** How a tracker follows. */
export interface TrackerOptions {
  /** How long an object may be out of sight, seconds. */
  readonly lostS?: number
  /** Objects followed at a time, and items of one picture that are looked at. */
  readonly maxTracks?: number
  /** Time between two updates of one object at least, ms. */
  readonly updateMs?: number
}

/** One picture's items with their tracks, and what happened to the tracks. */
export interface Tracked {
  readonly items: readonly Item[]
  readonly events: readonly TrackChange[]
}

/** Follows the objects of one run. Deterministic; knows no time but that of the pictures. */
export interface Tracker {
  /**
   * Takes what was found in the next picture, down to `TRACKED_SCORE`. Gives back the items that score
   * `minScore` or more or are a known object; those of known objects carry its number.
   */
  update(items: readonly Item[], at: Moment, minScore: number): Tracked
  /** Ends every track. Their numbers are not used again. */
  end(): readonly TrackChange[]
}

type Seen = readonly [Track, Item]

/** Overlap with where it was expected, from which on an item is a known object. */
const SURE_IOU = 0.2
/** The same of an item that scores low, and of an object that was seen once. */
const UNSURE_IOU = 0.5
const ONCE_IOU = 0.3

/**
 * ByteTrack (Zhang et al., 2022), per class: items that score `minScore` or more are matched with all
 * known objects, then the others with the objects left over, which carries an object through a bad
 * moment; only the former begin tracks. An object is known when it was seen in two pictures in a row,
 * or in the first one.
 */
export function tracker(options: TrackerOptions = {}): Tracker {
  const { lostS = 1.5, maxTracks = 300, updateMs = 1000 } = options
  const clock = mediaClock()
  let tracks: readonly Track[] = []
  let numbers = 0
  let first = true

  const begin = (items: readonly Item[], room: number, { capturedAt }: Moment): Seen[] =>
    items.slice(0, Math.max(0, room)).map((item) => [new Track(item, capturedAt), item])

  const tell = ([track]: Seen): readonly TrackChange[] => {
    if (track.number > 0) return track.changed(updateMs)
    numbers += 1
    return [track.confirm(numbers)]
  }

  return {
    update(items, at, minScore) {
      const seconds = clock.advance(at)
      for (const track of tracks) track.move(seconds)
      const { seen, free } = match(tracks, bestOf(items, maxTracks), minScore)
      for (const [track, item] of seen) track.see(item, at.capturedAt)
      const { kept, over } = sift(tracks, new Set(seen.map(([track]) => track)), lostS)
      const begun = begin(free, maxTracks - kept.length, at)
      const known = first ? begun : seen
      tracks = [...kept, ...begun.map(([track]) => track)]
      first = false
      const events = [...over.map((track) => track.end()), ...known.flatMap(tell)]
      return { items: reported(items, known, minScore), events }
    },
    end() {
      const events = tracks.filter(({ number }) => number > 0).map((track) => track.end())
      tracks = []
      first = true
      return events
    },
  }
}

/** Who was seen as what, and the items that are nobody yet but may become somebody. */
function match(tracks: readonly Track[], items: readonly Item[], minScore: number) {
  const known = tracks.filter(({ number }) => number > 0)
  const once = tracks.filter(({ number }) => number === 0)
  const high = items.filter(({ score }) => score >= minScore)
  const low = items.filter(({ score }) => score < minScore && score >= TRACKED_SCORE)
  const sure = associate(known, high, SURE_IOU)
  const unsure = associate(sure.lone, low, UNSURE_IOU)
  const twice = associate(once, sure.free, ONCE_IOU)
  return { seen: [...sure.pairs, ...unsure.pairs, ...twice.pairs], free: twice.free }
}

/** Which tracks go on, and which known ones are over; those seen once end without a word. */
function sift(tracks: readonly Track[], seen: ReadonlySet<Track>, lostS: number) {
  const goesOn = (track: Track) => seen.has(track) || (track.number > 0 && track.unseenS <= lostS)
  return {
    kept: tracks.filter(goesOn),
    over: tracks.filter((track) => track.number > 0 && !goesOn(track)),
  }
}

/** Those that can be followed, best first: hostile input must not cost more than a full picture does. */
function bestOf(items: readonly Item[], most: number): Item[] {
  return items
    .filter(({ box, score }) => [...box, score].every(Number.isFinite) && box[2] > 0 && box[3] > 0)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, most)
}

function reported(items: readonly Item[], known: readonly Seen[], minScore: number): Item[] {
  const numbers = new Map(known.map(([track, item]) => [item, track.number]))
  return items.flatMap((item) => {
    const track = numbers.get(item)
    if (track !== undefined) return [{ ...item, track }]
    return item.score >= minScore ? [item] : []
  })
}
