import { ID_PATTERN } from './ids.ts'
import Type, { type Static } from './typebox.ts'

/** The name of a service, an input or an output. */
export const Id = Type.String({
  pattern: ID_PATTERN,
  description: 'Lower-case id, at most 63 characters.',
  examples: ['door'],
})

/** `[x, y, width, height]` in pixels of the source frame. */
export const Region = Type.Tuple([Type.Number(), Type.Number(), Type.Number(), Type.Number()], {
  description: '[x, y, width, height] in pixels of the source frame.',
})

/** One input: where samples come from and how they are read. */
export const InputSpec = Type.Object({
  url: Type.String({
    minLength: 1,
    maxLength: 1_500_000,
    description: 'file:///…, http(s)://…, data:…, mqtt:<topic> or synthetic:',
  }),
  fps: Type.Optional(
    Type.Number({ exclusiveMinimum: 0, maximum: 1000, description: 'Samples per second at most.' }),
  ),
  loop: Type.Optional(Type.Boolean({ description: 'Start a finite source over when it ends.' })),
  pace: Type.Optional(
    Type.Enum(['realtime', 'fast'], {
      description: 'realtime: as fast as the recording plays; fast: as fast as the model runs.',
    }),
  ),
  transport: Type.Optional(Type.Enum(['tcp', 'udp'])),
  decode: Type.Optional(Type.Enum(['all', 'nonref', 'key'])),
  timeoutMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 600_000 })),
  region: Type.Optional(Region),
  keepOpen: Type.Optional(Type.Boolean()),
})
export type InputSpec = Static<typeof InputSpec>

/** One output: where results go, and which of them. */
export const OutputSpec = Type.Object({
  url: Type.String({
    minLength: 1,
    maxLength: 4096,
    description:
      'mqtt:, mqtt:<topic>, mqtt(s)://host/topic, rtsp: (served), rtsp(s)://… or rtmp(s)://… (pushed), file:///….jsonl, .csv, .mp4, .m3u8 or .jpg, http(s)://… (webhook), ws(s)://…',
  }),
  inputs: Type.Optional(
    Type.Array(Id, { description: 'Inputs it takes results from; default all.' }),
  ),
  overlay: Type.Optional(
    Type.Enum(['exact', 'latest'], {
      description:
        'Video: exact (default) shows the inferred pictures with their own boxes; latest shows every picture with the newest boxes and their age.',
    }),
  ),
  labels: Type.Optional(
    Type.Array(Type.String(), { description: 'Keep only items with these labels.' }),
  ),
  minScore: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  minArea: Type.Optional(Type.Number({ minimum: 0, description: 'Pixels of the source frame.' })),
  region: Type.Optional(Region),
  maxPerSecond: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  onChange: Type.Optional(
    Type.Boolean({ description: 'Only when the set of labels differs from the last result.' }),
  ),
  bitrate: Type.Optional(
    Type.Integer({
      minimum: 50_000,
      maximum: 100_000_000,
      description: 'Video: bits per second. Default: by the size of the picture.',
    }),
  ),
  segmentS: Type.Optional(
    Type.Number({
      minimum: 1,
      maximum: 86_400,
      description:
        '.mp4: a new file after this long (default 600 s); .m3u8: length of a segment (default 2 s).',
    }),
  ),
  maxBytes: Type.Optional(
    Type.Integer({ minimum: 100_000, description: '.mp4: a new file at this size. Default 1 GB.' }),
  ),
  keep: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      description:
        '.mp4, .m3u8, .jpg: how many files to keep; older ones are deleted. Default: all; .m3u8: 10 segments.',
    }),
  ),
  image: Type.Optional(
    Type.Boolean({ description: 'Webhook: send the annotated picture as a JPEG too.' }),
  ),
  secret: Type.Optional(
    Type.String({
      pattern: '^(?:\\*{3}|.{8,})$',
      maxLength: 512,
      description:
        'Webhook: key of the HMAC-SHA256 in X-Heliograph-Signature, at least 8 characters. Published as ***; *** sent back for the same output and host means unchanged.',
    }),
  ),
  timeoutMs: Type.Optional(
    Type.Integer({ minimum: 100, maximum: 600_000, description: 'Of one delivery; default 5000.' }),
  ),
})
export type OutputSpec = Static<typeof OutputSpec>

/** Numbers that shape results and apply to the next frame, without a reload. */
export const ModelOptions = Type.Object({
  minScore: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  iouThreshold: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  maxItems: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  labels: Type.Optional(Type.Array(Type.String(), { description: 'Report only these classes.' })),
  track: Type.Optional(
    Type.Boolean({
      description:
        'Follow objects from picture to picture: `track` in results, and their lives on event/<input>.',
    }),
  ),
})
export type ModelOptions = Static<typeof ModelOptions>

/** The order of preference, or one provider by name. */
export const Device = Type.Enum(['auto', 'cpu', 'webgpu', 'cuda', 'tensorrt'])
export type Device = Static<typeof Device>

const InputValue = Type.Union([InputSpec.properties.url, InputSpec])
const OutputValue = Type.Union([OutputSpec.properties.url, OutputSpec])

/** A merge patch of inputs by id; null removes. */
export const InputMap = Type.Record(Id, Type.Union([InputValue, Type.Null()]))
export type InputMap = Static<typeof InputMap>

/** `input/set`: a URL or one input replaces all by `default`; a map by id is a merge patch. */
export const InputSet = Type.Union([InputSpec.properties.url, InputSpec, InputMap])
export type InputSet = Static<typeof InputSet>

/** `output/set`: a merge patch by id. */
export const OutputSet = Type.Record(Id, Type.Union([OutputValue, Type.Null()]))
export type OutputSet = Static<typeof OutputSet>

/** A change of the model, its device or its options. */
export const ModelChange = Type.Object({
  model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  device: Type.Optional(Device),
  options: Type.Optional(ModelOptions),
})

/** `model/set`: a model's id, or a change. */
export const ModelSet = Type.Union([Type.String({ minLength: 1, maxLength: 200 }), ModelChange])
export type ModelSet = Static<typeof ModelSet>

/** What is asked of `compute`. */
export const ComputeRequest = Type.Object({
  action: Type.Optional(Type.Enum(['start', 'stop', 'once'])),
  input: Type.Optional(
    Type.Union([InputSpec.properties.url, InputSpec], {
      description: "once: the id of an input, or a source of the request's own.",
    }),
  ),
  tag: Type.Optional(Type.String({ maxLength: 256, description: 'Copied into the result.' })),
})

/** `compute`: start, stop, or one result. */
export const Compute = Type.Union([Type.Enum(['start', 'stop', 'once']), ComputeRequest])
export type Compute = Static<typeof Compute>
export type ComputeRequest = Static<typeof ComputeRequest>

/** `$cmd/service/add`. */
export const ServiceAdd = Type.Object({
  service: Id,
  model: Type.Optional(Type.Union([Type.String({ minLength: 1 }), ModelChange])),
  input: Type.Optional(InputSet),
  output: Type.Optional(OutputSet),
  compute: Type.Optional(Type.Enum(['start', 'stop'])),
})
export type ServiceAdd = Static<typeof ServiceAdd>

/** `$cmd/service/remove`. */
export const ServiceRemove = Type.Object({ service: Id })
export type ServiceRemove = Static<typeof ServiceRemove>

/** `$cmd/models/pull`. */
export const ModelsPull = Type.Object({ model: Type.String({ minLength: 1, maxLength: 200 }) })
export type ModelsPull = Static<typeof ModelsPull>
