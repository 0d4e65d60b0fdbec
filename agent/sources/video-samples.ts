import type { InputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import type { Sample, SourceEvents } from '../core/stages.ts'
import type { VideoFrame, VideoInput, VideoReader } from '../media/engine.ts'
import { noPace, realtimePace, sampler } from '../media/pace.ts'
import type { SourceContext } from './context.ts'

/** What is played, and how. */
export interface VideoPlay {
  readonly input: VideoInput
  /** How messages name it. */
  readonly name: string
  readonly spec: InputSpec
  readonly context: SourceContext
}

/** How many threads decode one video: a service decodes several at once. */
const decoderThreads = 1

/** The pictures of a recorded video, sampled, paced and looped as the input's options say. */
export async function* videoSamples(
  { input, name, spec, context }: VideoPlay,
  signal: AbortSignal,
  events: SourceEvents,
): AsyncGenerator<Sample, void, void> {
  const reader = await context.engine.open(input, {
    signal,
    threads: decoderThreads,
    maxPixels: context.limits.maxPixels,
    decoder: context.limits.media.decoder,
    decode: spec.decode ?? 'all',
    skipped: events.skipped,
  })
  try {
    events.opened(reader.info)
    const pace = (spec.pace ?? context.defaultPace) === 'realtime' ? realtimePace() : noPace
    const wanted = sampler(spec.fps)
    let decodeMs = 0
    for await (const { frame, pts, readMs } of playedFrames(reader, name, spec.loop ?? false)) {
      decodeMs += readMs
      await pace.until(pts, signal)
      if (!wanted(pts)) {
        events.passed?.({ frame, pts, capturedAt: Date.now() })
        frame.release()
        continue
      }
      yield { kind: 'picture', frame, pts, capturedAt: Date.now(), decodeMs }
      decodeMs = 0
    }
  } finally {
    await reader.close()
  }
}

/** A picture, its time since the first round began, and what it took to read, ms. */
interface PlayedFrame extends VideoFrame {
  readonly readMs: number
}

async function* playedFrames(
  reader: VideoReader,
  name: string,
  loop: boolean,
): AsyncGenerator<PlayedFrame, void, void> {
  let offset = yield* oneRound(reader, name, 0)
  while (loop) {
    await reader.rewind()
    offset += yield* oneRound(reader, name, offset)
  }
}

/** Plays to the end, times shifted by `offset` seconds; gives how long the round lasts, seconds. */
async function* oneRound(
  reader: VideoReader,
  name: string,
  offset: number,
): AsyncGenerator<PlayedFrame, number, void> {
  let first: number | undefined
  let last = 0
  let step = 1 / (reader.info.fps ?? 25)
  for (;;) {
    const startedAt = performance.now()
    const next = await reader.next()
    if (!next) break
    if (first !== undefined && next.pts > last) step = next.pts - last
    first ??= next.pts
    last = next.pts
    const readMs = performance.now() - startedAt
    yield { frame: next.frame, pts: next.pts + offset, readMs }
  }
  if (first === undefined) {
    throw new AgentError('SOURCE_DECODE', `no picture of ${name} could be decoded`)
  }
  return last - first + step
}
