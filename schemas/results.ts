import { Id } from './control.ts'
import Type, { type Static, type TSchema } from './typebox.ts'

/** `[x, y, width, height]` in pixels of the source frame, origin top left, clipped to the frame. */
export const Box = Type.Tuple([Type.Number(), Type.Number(), Type.Number(), Type.Number()], {
  description: '[x, y, width, height] in pixels of the source frame, origin top left.',
})
export type Box = Static<typeof Box>

/** One detected object. */
export const Detection = Type.Object({
  label: Type.String(),
  classId: Type.Integer({ minimum: 0 }),
  score: Type.Number({ minimum: 0, maximum: 1 }),
  box: Box,
  track: Type.Optional(Type.Integer()),
})
export type Detection = Static<typeof Detection>

/** Latency by stage, ms. `queue` is the time between two stages, waiting for a free one. */
export const StageMs = Type.Object({
  decode: Type.Number(),
  queue: Type.Number(),
  preprocess: Type.Number(),
  infer: Type.Number({ description: 'All of a run, however many samples shared it.' }),
  postprocess: Type.Number(),
})
export type StageMs = Static<typeof StageMs>

function result<const K extends string, T extends TSchema>(kind: K, item: T) {
  return Type.Object({
    v: Type.Literal(1),
    kind: Type.Literal(kind),
    input: Id,
    model: Type.String(),
    run: Type.String({ description: 'Changes whenever the input is opened anew.' }),
    seq: Type.Integer({
      minimum: 0,
      description: 'Counts the inferred samples of the run from 0.',
    }),
    capturedAt: Type.Number({ description: 'When the agent got the sample; Unix ms.' }),
    publishedAt: Type.Number({ description: 'When the result was published; Unix ms.' }),
    pts: Type.Optional(Type.Number({ description: "The source's clock, seconds." })),
    width: Type.Integer({ minimum: 1 }),
    height: Type.Integer({ minimum: 1 }),
    source: Type.Optional(
      Type.String({ description: 'Which picture of several (a directory, say) this is.' }),
    ),
    tag: Type.Optional(Type.String()),
    items: Type.Array(item),
    ms: StageMs,
  })
}

/** One per inferred frame of a detector. */
export const Detections = result('detections', Detection)

/** What one sample gave: a union on `kind`, which is also the topic level it is published on. */
export type Result = Static<typeof Detections>
export type ResultKind = Result['kind']
export type Item = Result['items'][number]
