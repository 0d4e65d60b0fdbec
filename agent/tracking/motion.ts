import type { Box } from '../../schemas/results.ts'

type Quad = readonly [number, number, number, number]

/**
 * Where an object is and how it moves: a constant-velocity Kalman filter over centre x, centre y, width
 * and height. All four have the same uncertainty, in sizes of the object (mean of its sides), so that
 * one covariance serves them.
 */
export interface Motion {
  /** Centre x, centre y, width, height; pixels. */
  readonly values: Quad
  /** The same, per second. */
  readonly speeds: Quad
  /** Of a value, sizes². */
  readonly variance: number
  /** Of a value with its speed, sizes²/s. */
  readonly covariance: number
  /** Of a speed, (sizes/s)². */
  readonly speedVariance: number
}

/** How far a detector's box is off: a twentieth of the object's size. */
const MEASUREMENT_VARIANCE = 0.05 ** 2
/** What is thought of an object's speed before it has moved: about two sizes a second. */
const FIRST_SPEED_VARIANCE = 2 ** 2
/** How fast a speed may change: by about one size a second within a second. */
const ACCELERATION = 1
const MIN_SIDE = 1

/** An object just seen, at rest as far as is known. */
export function motionAt(box: Box): Motion {
  return {
    values: centred(box),
    speeds: [0, 0, 0, 0],
    variance: MEASUREMENT_VARIANCE,
    covariance: 0,
    speedVariance: FIRST_SPEED_VARIANCE,
  }
}

/** The same object `seconds` later. @param growing whether its size goes on changing too */
export function moved(motion: Motion, seconds: number, growing: boolean): Motion {
  const { values, speeds, variance, covariance, speedVariance } = motion
  const [x, y, width, height] = values
  const growth = growing ? seconds : 0
  return {
    values: [
      x + speeds[0] * seconds,
      y + speeds[1] * seconds,
      Math.max(MIN_SIDE, width + speeds[2] * growth),
      Math.max(MIN_SIDE, height + speeds[3] * growth),
    ],
    speeds,
    variance:
      variance +
      2 * seconds * covariance +
      seconds ** 2 * speedVariance +
      (ACCELERATION * seconds ** 3) / 3,
    covariance: covariance + seconds * speedVariance + (ACCELERATION * seconds ** 2) / 2,
    speedVariance: speedVariance + ACCELERATION * seconds,
  }
}

/** The object after it was seen at `box`. */
export function corrected(motion: Motion, box: Box): Motion {
  const { values, speeds, variance, covariance, speedVariance } = motion
  const seen = centred(box)
  const gain = variance / (variance + MEASUREMENT_VARIANCE)
  const speedGain = covariance / (variance + MEASUREMENT_VARIANCE)
  return {
    values: quad((i) => values[i] + gain * (seen[i] - values[i])),
    speeds: quad((i) => speeds[i] + speedGain * (seen[i] - values[i])),
    variance: variance * (1 - gain),
    covariance: covariance * (1 - gain),
    speedVariance: speedVariance - speedGain * covariance,
  }
}

/** Where the object is taken to be. */
export function boxOf({ values: [x, y, width, height] }: Motion): Box {
  return [x - width / 2, y - height / 2, width, height]
}

function centred([x, y, width, height]: Box): Quad {
  return [x + width / 2, y + height / 2, width, height]
}

function quad(of: (index: 0 | 1 | 2 | 3) => number): Quad {
  return [of(0), of(1), of(2), of(3)]
}
