/** When a picture was got and, where its source has a clock, when it was taken. */
export interface Moment {
  /** Unix ms. */
  readonly capturedAt: number
  /** Seconds. */
  readonly pts?: number
}

/** Tells how much time lies between pictures. */
export interface MediaClock {
  /** Seconds since the picture before, never negative; 0 at the first. */
  advance(moment: Moment): number
}

/**
 * Goes by the source's clock, by which things move, and over its gaps and jumps back by the time of
 * capture.
 */
export function mediaClock(): MediaClock {
  let last: Moment | undefined
  return {
    advance(moment) {
      const before = last ?? moment
      last = moment
      const byPts = (moment.pts ?? Number.NaN) - (before.pts ?? Number.NaN)
      if (byPts > 0 && Number.isFinite(byPts)) return byPts
      const byCapture = (moment.capturedAt - before.capturedAt) / 1000
      return byCapture > 0 && Number.isFinite(byCapture) ? byCapture : 0
    },
  }
}
