import { VIDEO_CLOCK } from '../core/video.ts'

/** When a picture was taken: by its source's clock where it has one. */
export interface Moment {
  /** Unix ms. */
  readonly capturedAt: number
  /** Seconds. */
  readonly pts?: number | undefined
}

/** A longer step is a jump of the source's clock (a loop, a seek), s. */
const LONGEST_STEP_S = 2

/** Gives pictures times that only grow, in 1/90000 s from 0, whatever the source's clock does. */
export function streamClock(fps: number): (moment: Moment) => number {
  const usual = 1 / fps
  let last: Moment | undefined
  let seconds = 0
  return (moment) => {
    if (last) {
      const step = stepBetween(last, moment)
      seconds += step > 0 && step <= LONGEST_STEP_S ? step : usual
    }
    last = moment
    return Math.round(seconds * VIDEO_CLOCK)
  }
}

function stepBetween(before: Moment, now: Moment): number {
  if (before.pts !== undefined && now.pts !== undefined) return now.pts - before.pts
  return (now.capturedAt - before.capturedAt) / 1000
}
