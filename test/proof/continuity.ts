import type { Seen } from './recording.ts'

/** What is wrong with a series of detections of one input that should have lost nothing. */
export function holes(detections: readonly Seen[], least: number): string[] {
  const faults: string[] = []
  if (detections.length < least) faults.push(`${detections.length} results, expected ${least}`)
  for (const [index, next] of detections.entries()) {
    const last = detections[index - 1]
    if (!last) continue
    if (next.run !== last.run) faults.push(`run ${last.run} became ${next.run} after ${last.seq}`)
    else if (next.seq !== last.seq + 1) faults.push(`seq ${last.seq} was followed by ${next.seq}`)
  }
  return faults
}

/** Places where a recording that plays in a loop was not read at an even step. */
export function skips(detections: readonly Seen[], stepS: number): string[] {
  return detections.flatMap((next, index) => {
    const last = detections[index - 1]
    if (last?.pts === undefined || next.pts === undefined || next.pts < last.pts) return []
    const step = next.pts - last.pts
    return step <= stepS * 1.5
      ? []
      : [`${last.pts.toFixed(2)} s was followed by ${next.pts.toFixed(2)} s`]
  })
}

/** The longest time between two neighbours, ms; infinite where there are none. */
export function longestSilence(times: readonly number[]): number {
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time))
  return gaps.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...gaps)
}
