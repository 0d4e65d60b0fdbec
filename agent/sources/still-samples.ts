import type { InputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import type { Sample, SourceEvents, SourceInfo } from '../core/stages.ts'
import { noPace, realtimePace } from '../media/pace.ts'
import { decodeStill, type StillOptions } from '../media/stills.ts'
import type { SourceContext } from './context.ts'

/** What is known of a picture besides its bytes. */
export interface StillOrigin extends StillOptions {
  /** When the agent got it; Unix ms. */
  readonly capturedAt: number
  /** What reading it took before it came here, ms. */
  readonly readMs?: number
  readonly pts?: number
  /** Which of several pictures it is. */
  readonly among?: string
}

/** Decodes one still picture into a sample. @throws AgentError as `decodeStill` does */
export async function stillSample(
  bytes: Uint8Array,
  origin: StillOrigin,
  context: SourceContext,
): Promise<Sample> {
  const startedAt = performance.now()
  const { stills: budget } = context
  const decode = () => decodeStill(bytes, { ...origin, ...(budget ? { budget } : {}) })
  const frame = await (context.native ? context.native(decode) : decode())
  return {
    kind: 'picture',
    frame,
    capturedAt: origin.capturedAt,
    decodeMs: performance.now() - startedAt + (origin.readMs ?? 0),
    ...(origin.pts === undefined ? {} : { pts: origin.pts }),
    ...(origin.among === undefined ? {} : { name: origin.among }),
  }
}

/** Pictures that are given one after the other. */
export interface PictureList {
  /** How messages name the place where they are. */
  readonly place: string
  readonly names: readonly string[]
  /** One picture that was asked for by itself: its failure is the source's, not a skipped sample. */
  readonly single: boolean
  read(name: string): Promise<Uint8Array>
}

/** How the pictures of a list are played. */
export interface ListPlay {
  readonly list: PictureList
  readonly spec: InputSpec
  readonly context: SourceContext
}

/**
 * The pictures of a list in its order, over and over with `loop`, `fps` a second at real pace. One
 * that cannot be read is skipped; when none can, the list is refused.
 */
export async function* listedSamples(
  play: ListPlay,
  signal: AbortSignal,
  events: SourceEvents,
): AsyncGenerator<Sample, void, void> {
  const { list, spec, context } = play
  const pace = (spec.pace ?? context.defaultPace) === 'realtime' ? realtimePace() : noPace
  let given = 0
  do {
    const more = yield* oneRound(play, given, (pts) => pace.until(pts, signal), events)
    if (more === 0) throw noneReadable(list)
    given += more
  } while (spec.loop && !signal.aborted)
}

/** Gives every picture once, the first as the `given`-th of all; tells how many there were. */
async function* oneRound(
  play: ListPlay,
  given: number,
  due: (pts: number) => Promise<void>,
  events: SourceEvents,
): AsyncGenerator<Sample, number, void> {
  const { list, spec } = play
  let count = given
  for (const name of list.names) {
    const pts = spec.fps === undefined ? undefined : count / spec.fps
    const sample = await readListed(play, name, pts, events)
    if (!sample) continue
    if (count === 0) events.opened(infoOf(play, sample))
    if (pts !== undefined) await due(pts)
    count += 1
    yield sample
  }
  return count - given
}

async function readListed(
  { list, context }: ListPlay,
  name: string,
  pts: number | undefined,
  events: SourceEvents,
): Promise<Sample | undefined> {
  try {
    const startedAt = performance.now()
    const bytes = await list.read(name)
    return await stillSample(
      bytes,
      {
        name: list.single ? list.place : `${name} in ${list.place}`,
        maxPixels: context.limits.maxPixels,
        capturedAt: Date.now(),
        readMs: performance.now() - startedAt,
        ...(pts === undefined ? {} : { pts }),
        ...(list.single ? {} : { among: name }),
      },
      context,
    )
  } catch (error) {
    if (list.single) throw error
    events.skipped(AgentError.from(error, 'SOURCE_DECODE'))
    return undefined
  }
}

/** Pictures of a list may differ in size; a single one's size is the source's. */
function infoOf({ list, spec }: ListPlay, { frame }: Sample): SourceInfo {
  return {
    still: true,
    ...(list.single ? { width: frame.width, height: frame.height } : {}),
    ...(spec.fps === undefined ? {} : { fps: spec.fps }),
  }
}

function noneReadable({ place, names }: PictureList): AgentError {
  return new AgentError(
    'SOURCE_DECODE',
    `none of the ${names.length} pictures of ${place} could be read`,
  )
}
