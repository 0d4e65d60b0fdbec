import type { InputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import type { Sample, SourceEvents, SourceInfo } from '../core/stages.ts'
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
  /** Called when it was played, or could not be. */
  readonly close?: () => Promise<void>
}

/** How many threads decode one video: a service decodes several at once. */
const decoderThreads = 1

/** The pictures of a recorded video, sampled, paced and looped as the input's options say. */
export async function* videoSamples(
  play: VideoPlay,
  signal: AbortSignal,
  events: SourceEvents,
): AsyncGenerator<Sample, void, void> {
  const { name, spec, context } = play
  let reader: VideoReader | undefined
  try {
    reader = await openReader(play, signal, events)
    events.opened(reader.info)
    const pace = (spec.pace ?? context.defaultPace) === 'realtime' ? realtimePace() : noPace
    const wanted = sampler(spec.fps)
    const next = playback({ reader, name, loop: spec.loop ?? false, opened: events.opened })
    let decodeMs = 0
    for (let played = await next(); played; played = await next()) {
      const { frame, pts, readMs, nextPts } = played
      decodeMs += readMs
      await pace.until(pts, signal)
      if (!wanted(pts)) {
        events.passed?.({ frame, pts, capturedAt: Date.now() })
        frame.release()
      } else {
        yield { kind: 'picture', frame, pts, capturedAt: Date.now(), decodeMs }
        decodeMs = 0
      }
      // A picture that is decoded when it is due, as a camera's is, is used while the caches still hold it.
      await pace.until(nextPts, signal)
    }
  } finally {
    try {
      await reader?.close()
    } finally {
      await play.close?.()
    }
  }
}

function openReader(
  { input, spec, context }: VideoPlay,
  signal: AbortSignal,
  { skipped }: SourceEvents,
): Promise<VideoReader> {
  return context.engine.open(input, {
    signal,
    threads: decoderThreads,
    maxPixels: context.limits.maxPixels,
    decoder: context.limits.media.decoder,
    decode: spec.decode ?? 'all',
    skipped,
  })
}

/** A picture, its time since the first round began, and what it took to read, ms. */
interface PlayedFrame extends VideoFrame {
  readonly readMs: number
  /** When the next one may be due: never later than it is, unless the video's pictures come faster from now on. */
  readonly nextPts: number
}

/** What is played round after round. */
interface Playback {
  readonly reader: VideoReader
  readonly name: string
  readonly loop: boolean
  /** Told of what the file has become. */
  opened(info: SourceInfo): void
}

/**
 * Gives the frames, round after round, each with its times shifted by those before it; nothing at the end. A function:
 * generators that pass on what others yield take longer than all else that is done here for a frame.
 */
function playback({
  reader,
  name,
  loop,
  opened,
}: Playback): () => Promise<PlayedFrame | undefined> {
  let info = reader.info
  let usualStep = usualStepOf(info)
  let offset = 0
  let round: { readonly first: number; last: number; step: number } | undefined

  function placed({ frame, pts }: VideoFrame, readMs: number): PlayedFrame {
    round ??= { first: pts, last: pts, step: usualStep }
    if (pts > round.last) round.step = pts - round.last
    round.last = pts
    const nextPts = pts + offset + Math.min(round.step, usualStep)
    return { frame, pts: pts + offset, readMs, nextPts }
  }

  function endRound(): void {
    if (!round) throw new AgentError('SOURCE_DECODE', `no picture of ${name} could be decoded`)
    offset += round.last - round.first + round.step
    round = undefined
  }

  /** The file may be another one by now. */
  async function startOver(): Promise<void> {
    await reader.rewind()
    if (reader.info === info) return
    info = reader.info
    usualStep = usualStepOf(info)
    opened(info)
  }

  return async () => {
    for (;;) {
      const startedAt = performance.now()
      const next = await reader.next()
      if (next) return placed(next, performance.now() - startedAt)
      endRound()
      if (!loop) return undefined
      await startOver()
    }
  }
}

const usualStepOf = ({ fps = 25 }: SourceInfo): number => 1 / fps
