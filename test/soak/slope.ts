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

/** The least value of each of so many equal parts: what is left after the garbage was collected. */
export function floors(samples: readonly Sample[], parts: number): Sample[] {
  const size = Math.ceil(samples.length / parts)
  const least = (part: readonly Sample[]) => part.toSorted((a, b) => a.value - b.value).slice(0, 1)
  return Array.from({ length: parts }, (_, part) =>
    least(samples.slice(part * size, (part + 1) * size)),
  ).flat()
}
