import type { InputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import type { Sample, Source, SourceEvents } from '../core/stages.ts'
import { noPace, realtimePace, sampler } from '../media/pace.ts'
import { rgbFrame } from '../media/rgb-frame.ts'
import { wait } from '../media/wait.ts'
import type { SourceContext } from './context.ts'
import { samplesBy } from './iteration.ts'
import { type SyntheticOptions, syntheticOptions } from './synthetic-options.ts'
import { drawScene } from './synthetic-scene.ts'

/** `synthetic:`: a moving square whose place and frame number are known; a camera without hardware. */
export function syntheticSource(spec: InputSpec, context: SourceContext): Source {
  const options = syntheticOptions(spec.url, context.limits.faults)
  checkPixels(options, context.limits.maxPixels)
  const frames = options.live ? cameraFrames : recordedFrames
  return {
    live: options.live,
    samples: samplesBy((signal, events) => frames({ options, spec, context }, signal, events)),
  }
}

interface SyntheticPlay {
  readonly options: SyntheticOptions
  readonly spec: InputSpec
  readonly context: SourceContext
}

type Frames = AsyncGenerator<Sample, void, void>

/** Every frame, in order, when it is asked for. */
async function* recordedFrames(
  { options, spec, context }: SyntheticPlay,
  signal: AbortSignal,
  events: SourceEvents,
): Frames {
  const { fps, frames = Number.POSITIVE_INFINITY } = options
  const pace = (spec.pace ?? context.defaultPace) === 'realtime' ? realtimePace() : noPace
  const wanted = sampler(spec.fps)
  events.opened(infoOf(options))
  for (let count = 0; (count < frames || spec.loop) && !signal.aborted; count++) {
    const number = count % frames
    await injectFaults({ options, context }, number, number, signal)
    const pts = count / fps
    await pace.until(pts, signal)
    const sample = drawn(options, number, pts, Date.now())
    if (wanted(pts)) yield sample
    else passOver(sample, events)
  }
}

/** What a camera shows: frames come by the clock, and one that nobody took is replaced by the next. */
async function* cameraFrames(
  { options, spec, context }: SyntheticPlay,
  signal: AbortSignal,
  events: SourceEvents,
): Frames {
  const { fps, frames = Number.POSITIVE_INFINITY } = options
  const wanted = sampler(spec.fps)
  const startedAt = Date.now()
  const started = performance.now()
  events.opened(infoOf(options))
  let last = -1
  while (last + 1 < frames && !signal.aborted) {
    await wait(started + ((last + 1) * 1000) / fps - performance.now(), signal)
    const due = Math.floor(((performance.now() - started) * fps) / 1000 + 1e-6)
    const number = Math.min(Math.max(due, last + 1), frames - 1)
    await injectFaults({ options, context }, last + 1, number, signal)
    for (let missed = last + 1; missed < number; missed++) events.dropped()
    last = number
    const pts = number / fps
    const sample = drawn(options, number, pts, Math.round(startedAt + pts * 1000))
    if (wanted(pts)) yield sample
    else passOver(sample, events)
  }
}

function passOver(sample: Sample, events: SourceEvents): void {
  events.passed?.(sample)
  sample.frame.release()
}

function drawn(
  { width, height }: SyntheticOptions,
  number: number,
  pts: number,
  at: number,
): Sample {
  const startedAt = performance.now()
  const frame = rgbFrame(drawScene(number, width, height))
  return {
    kind: 'picture',
    frame,
    pts,
    capturedAt: at,
    decodeMs: performance.now() - startedAt,
  }
}

/** Lets happen what was ordered for one of the frames from `first` to `last`. */
async function injectFaults(
  { options: { faults }, context }: Pick<SyntheticPlay, 'options' | 'context'>,
  first: number,
  last: number,
  signal: AbortSignal,
): Promise<void> {
  const isDue = (at: number | undefined) => at !== undefined && at >= first && at <= last
  if (isDue(faults.crash)) await (context.native ? context.native(crash) : crash())
  if (isDue(faults.freeze)) blockThread()
  if (isDue(faults.hang)) await aborted(signal)
  if (isDue(faults.error)) {
    throw new AgentError('SOURCE_UNREACHABLE', `the synthetic source broke off at frame ${last}`, {
      retryable: true,
    })
  }
}

/** Like a fault in native code: the thread does not get past it. */
async function crash(): Promise<void> {
  process.kill(process.pid, 'SIGSEGV')
  blockThread()
}

function blockThread(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function infoOf({ width, height, fps }: SyntheticOptions) {
  return { width, height, fps }
}

function checkPixels({ width, height }: SyntheticOptions, maxPixels: number): void {
  if (width * height <= maxPixels) return
  throw new AgentError(
    'LIMIT_EXCEEDED',
    `a synthetic picture of ${width}×${height} pixels is too large; allowed are ${maxPixels} in all (limits.maxPixels)`,
  )
}
