import type { Box } from '../../schemas/results.ts'
import { iou } from '../imaging/boxes.ts'
import { assign } from './assignment.ts'

/** Something of a class at a place. */
export interface Placed {
  readonly classId: number
  readonly box: Box
}

/** Who was found to be whom, and who was not. */
export interface Association<T, I> {
  readonly pairs: readonly (readonly [T, I])[]
  readonly lone: readonly T[]
  readonly free: readonly I[]
}

/** Tracks and items (by index) that may be each other, directly or by way of others. */
interface Cluster {
  readonly tracks: number[]
  readonly items: number[]
}

/**
 * Pairs tracks with items of the same class so that the sum of their IoUs is the largest, each IoU
 * being at least `minIou`. Exact: those that touch nobody else are settled on their own.
 */
export function associate<T extends Placed, I extends Placed>(
  tracks: readonly T[],
  items: readonly I[],
  minIou: number,
): Association<T, I> {
  const weights = weigh(tracks, items, minIou)
  const itemOf = new Array<number>(tracks.length).fill(-1)
  for (const cluster of clusters(weights, tracks.length, items.length)) {
    for (const [track, item] of solve(cluster, weights, items.length)) itemOf[track] = item
  }
  const taken = new Set(itemOf)
  return {
    pairs: tracks.flatMap((track, index) => {
      const item = items[itemOf[index] ?? -1]
      return item ? [[track, item] as const] : []
    }),
    lone: tracks.filter((_, index) => itemOf[index] === -1),
    free: items.filter((_, index) => !taken.has(index)),
  }
}

function weigh(tracks: readonly Placed[], items: readonly Placed[], minIou: number): Float64Array {
  const weights = new Float64Array(tracks.length * items.length)
  for (const [row, { classId, box }] of tracks.entries()) {
    for (const [column, item] of items.entries()) {
      if (classId !== item.classId) continue
      const weight = iou(box, item.box)
      if (weight >= minIou) weights[row * items.length + column] = weight
    }
  }
  return weights
}

function* clusters(weights: Float64Array, tracks: number, items: number): Generator<Cluster> {
  const trackDone = new Uint8Array(tracks)
  const itemDone = new Uint8Array(items)
  for (let first = 0; first < tracks; first++) {
    if (trackDone[first]) continue
    trackDone[first] = 1
    const cluster: Cluster = { tracks: [first], items: [] }
    for (const track of cluster.tracks) {
      for (let item = 0; item < items; item++) {
        if (itemDone[item] || !weights[track * items + item]) continue
        itemDone[item] = 1
        cluster.items.push(item)
        addTracksOf(item, cluster, trackDone, weights, items)
      }
    }
    yield cluster
  }
}

function addTracksOf(
  item: number,
  cluster: Cluster,
  trackDone: Uint8Array,
  weights: Float64Array,
  items: number,
): void {
  for (let track = 0; track < trackDone.length; track++) {
    if (trackDone[track] || !weights[track * items + item]) continue
    trackDone[track] = 1
    cluster.tracks.push(track)
  }
}

function solve(
  { tracks, items }: Cluster,
  weights: Float64Array,
  width: number,
): (readonly [number, number])[] {
  const [track, item] = [tracks[0], items[0]]
  if (track === undefined || item === undefined) return []
  if (tracks.length === 1 && items.length === 1) return [[track, item]]
  const part = Float64Array.from(
    tracks.flatMap((row) => items.map((column) => weights[row * width + column] ?? 0)),
  )
  return assign(part, tracks.length, items.length).flatMap((column, row) => {
    const [of, to] = [tracks[row], items[column]]
    return of === undefined || to === undefined ? [] : [[of, to] as const]
  })
}
