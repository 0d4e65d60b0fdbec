import type { Frame, Sample } from '../../../agent/core/stages.ts'

/** Counts frames that nobody released yet. */
export interface Meter {
  alive: number
  most: number
}

/** A sample whose frame is counted. */
export function countedSample(meter: Meter, at: number): Sample {
  let references = 1
  meter.alive += 1
  meter.most = Math.max(meter.most, meter.alive)
  const frame: Frame = {
    width: 4,
    height: 2,
    scaleTo: async () => {},
    copyTo: () => Promise.reject(new Error('not needed here')),
    retain() {
      references += 1
    },
    release() {
      references -= 1
      if (references === 0) meter.alive -= 1
      if (references < 0) throw new Error('released twice')
    },
  }
  return { kind: 'picture', frame, capturedAt: at, decodeMs: 1, pts: at }
}

/** A finite source of `count` samples; says how far it was pulled. */
export async function* finite(
  meter: Meter,
  count: number,
  onPull: (index: number) => void = () => {},
): AsyncGenerator<Sample> {
  for (let index = 0; index < count; index += 1) {
    onPull(index)
    yield countedSample(meter, index)
  }
}
