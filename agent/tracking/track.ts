import type { Box, Item } from '../../schemas/results.ts'
import type { TrackEvent } from '../../schemas/state.ts'
import { iou } from '../imaging/boxes.ts'
import { boxOf, corrected, type Motion, motionAt, moved } from './motion.ts'

/** What happened to a followed object. Times are those of capture, Unix ms. */
export type TrackChange = Omit<TrackEvent, 'v' | 'input' | 'run' | 'at'>

/** An object that is no longer where its last report put it overlaps that box by less. */
const SAME_PLACE_IOU = 0.9
/** A best score that is worth telling is higher by this much. */
const BETTER = 0.05

/** One object through the pictures. Its number is 0 until it is confirmed. */
export class Track {
  readonly classId: number
  readonly #label: string
  readonly #firstAt: number
  #motion: Motion
  #number = 0
  #frames = 1
  #last: Item
  #lastAt: number
  #best: Item
  #reported: { readonly at: number; readonly box: Box; readonly score: number } | undefined
  /** Seconds since it was last seen; 0 when it was in the last picture. */
  unseenS = 0

  constructor(item: Item, capturedAt: number) {
    this.classId = item.classId
    this.#label = item.label
    this.#firstAt = capturedAt
    this.#lastAt = capturedAt
    this.#last = item
    this.#best = item
    this.#motion = motionAt(item.box)
  }

  get number(): number {
    return this.#number
  }

  /** Where it should be now. */
  get box(): Box {
    return boxOf(this.#motion)
  }

  /** Time goes by. An object out of sight is taken to move on, but not to grow. */
  move(seconds: number): void {
    this.#motion = moved(this.#motion, seconds, this.unseenS === 0)
    this.unseenS += seconds
  }

  see(item: Item, capturedAt: number): void {
    this.#motion = corrected(this.#motion, item.box)
    this.unseenS = 0
    this.#frames += 1
    this.#last = item
    this.#lastAt = capturedAt
    if (item.score > this.#best.score) this.#best = item
  }

  confirm(number: number): TrackChange {
    this.#number = number
    return this.#report('new')
  }

  /** An `update` when the last report is `intervalMs` old and the object has moved or been seen better. */
  changed(intervalMs: number): readonly TrackChange[] {
    if (!this.#reported || Math.abs(this.#lastAt - this.#reported.at) < intervalMs) return []
    const still = iou(this.#last.box, this.#reported.box) > SAME_PLACE_IOU
    const better = this.#best.score - this.#reported.score >= BETTER
    return still && !better ? [] : [this.#report('update')]
  }

  end(): TrackChange {
    return this.#report('end')
  }

  #report(type: TrackChange['type']): TrackChange {
    this.#reported = { at: this.#lastAt, box: this.#last.box, score: this.#best.score }
    return {
      type,
      track: this.#number,
      label: this.#label,
      classId: this.classId,
      firstAt: this.#firstAt,
      lastAt: this.#lastAt,
      frames: this.#frames,
      box: this.#last.box,
      bestScore: this.#best.score,
      bestBox: this.#best.box,
    }
  }
}
