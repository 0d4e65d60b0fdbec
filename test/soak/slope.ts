/** A value at a time. */
export interface Sample {
  readonly atMs: number
  readonly value: number
}

/** How fast the value grows per hour: the slope of the least-squares line. */
export function slopePerHour(samples: readonly Sample[]): number {
  if (samples.length < 2) throw new Error(`${samples.length} samples make no line`)
  const mean = (of: (sample: Sample) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length
  const [at, value] = [mean((sample) => sample.atMs), mean((sample) => sample.value)]
  const together = mean((sample) => (sample.atMs - at) * (sample.value - value))
  const alone = mean((sample) => (sample.atMs - at) ** 2)
  return (together / alone) * 3_600_000
}

/** A slope per hour and its 95 % confidence interval. */
export interface Interval {
  readonly slope: number
  readonly low: number
  readonly high: number
}

/** The slope of the least-squares line, with the interval of ±2 standard errors of independent residuals. */
export function slopeInterval(samples: readonly Sample[]): Interval {
  const count = samples.length
  if (count < 3) throw new Error(`${count} samples make no interval`)
  const slope = slopePerHour(samples)
  const hours = samples.map(({ atMs }) => atMs / 3_600_000)
  const middle = hours.reduce((sum, hour) => sum + hour, 0) / count
  const level = samples.reduce((sum, { value }) => sum + value, 0) / count
  const residuals = samples.map(
    ({ value }, at) => value - level - slope * ((hours[at] ?? 0) - middle),
  )
  const spread = residuals.reduce((sum, residual) => sum + residual ** 2, 0) / (count - 2)
  const width = hours.reduce((sum, hour) => sum + (hour - middle) ** 2, 0)
  const error = 2 * Math.sqrt(spread / width)
  return { slope, low: slope - error, high: slope + error }
}
