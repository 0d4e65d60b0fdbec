import { expect, it } from 'vitest'
import type { Frame, Sample } from '../../../agent/core/stages.ts'
import type { MediaEngine, VideoReader } from '../../../agent/media/engine.ts'
import { videoSamples } from '../../../agent/sources/video-samples.ts'
import { sourceContext, witness } from './surroundings.ts'

const frame: Frame = {
  ...{ width: 2, height: 2, isRgb: false },
  scaleTo: async () => undefined,
  copyTo: async () => undefined,
  retain: () => undefined,
  release: () => undefined,
}

/** An engine whose one video has pictures at these times, and that notes when each is read, s. */
function engineOf(times: readonly number[], fps: number) {
  const reads: number[] = []
  let began = 0
  const reader: VideoReader = {
    info: { width: 2, height: 2, fps },
    async next() {
      const pts = times[reads.length]
      began ||= performance.now()
      if (pts === undefined) return undefined
      reads.push((performance.now() - began) / 1000)
      return { frame, pts }
    },
    rewind: async () => undefined,
    close: async () => undefined,
  }
  const engine: MediaEngine = {
    name: 'noting',
    open: async () => reader,
    encode: () => Promise.reject(new Error('not asked for')),
    push: () => Promise.reject(new Error('not asked for')),
    codecs: async () => ({ decoders: [], encoders: [] }),
  }
  return { engine, reads, now: () => (performance.now() - began) / 1000 }
}

it('a picture of a recording is read when it is due, not before, and a gap delays nothing behind it', async () => {
  const times = [0, 0.1, 0.2, 0.8, 0.9]
  const { engine, reads, now } = engineOf(times, 10)
  const input = { kind: 'file', path: 'clip.mp4' } as const
  const spec = { url: 'clip.mp4', pace: 'realtime' } as const
  const context = sourceContext({}, { engine })
  const shown: number[] = []
  const signal = new AbortController().signal
  const samples: AsyncIterable<Sample> = videoSamples(
    { input, name: 'clip.mp4', spec, context },
    signal,
    witness(),
  )
  for await (const { frame } of samples) {
    shown.push(now())
    frame.release()
  }
  expect(shown).toHaveLength(times.length)
  // Timers may be a millisecond early.
  for (const [index, time] of times.entries()) {
    expect(shown[index]).toBeGreaterThan(time - 0.002)
    const usual = (times[index - 1] ?? -0.1) + 0.1
    expect(reads[index]).toBeGreaterThan(usual - 0.002)
  }
  // Had the gap been taken for the usual distance, the last picture would have been read at 1.4 s.
  expect(reads.at(-1)).toBeLessThan(1.35)
})
