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
