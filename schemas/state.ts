import { Device, InputSpec, ModelOptions, OutputSpec } from './control.ts'
import { Box } from './results.ts'
import Type, { type Static } from './typebox.ts'

/** A failure as it appears on the wire. */
export const ErrorInfo = Type.Object({
  code: Type.String(),
  message: Type.String(),
  retryable: Type.Optional(Type.Boolean()),
})
export type ErrorInfo = Static<typeof ErrorInfo>

/** `<service>/error`: the answer to a bad message without `replyTo`, and faults with no other place. */
export const ErrorEvent = Type.Object({
  v: Type.Literal(1),
  code: Type.String(),
  message: Type.String(),
  retryable: Type.Optional(Type.Boolean()),
  topic: Type.Optional(Type.String({ description: 'Of the message that was refused.' })),
  input: Type.Optional(Type.String()),
  output: Type.Optional(Type.String()),
  count: Type.Optional(Type.Integer({ description: 'How often, since the last report.' })),
  at: Type.Number({ description: 'Unix ms.' }),
})
export type ErrorEvent = Static<typeof ErrorEvent>

/** `closed`: not wanted now, because the service is stopped. */
export const InputState = Type.Enum([
  'closed',
  'opening',
  'live',
  'stalled',
  'retrying',
  'ended',
  'failed',
])
export type InputState = Static<typeof InputState>

/** One entry of the retained `input` topic: what was asked for, and what it is. */
export const InputStatus = Type.Intersect([
  InputSpec,
  Type.Object({
    state: InputState,
    since: Type.Number({ description: 'Unix ms.' }),
    width: Type.Optional(Type.Integer()),
    height: Type.Optional(Type.Integer()),
    still: Type.Optional(
      Type.Boolean({ description: 'A picture, or several one by one: nothing that moves.' }),
    ),
    run: Type.Optional(Type.String()),
    error: Type.Optional(ErrorInfo),
  }),
])
export type InputStatus = Static<typeof InputStatus>
export const Inputs = Type.Record(Type.String(), InputStatus)

export const OutputState = Type.Enum(['closed', 'opening', 'open', 'retrying', 'failed'])
export type OutputState = Static<typeof OutputState>

/** One entry of the retained `output` topic. */
export const OutputStatus = Type.Intersect([
  OutputSpec,
  Type.Object({
    state: OutputState,
    since: Type.Number({ description: 'Unix ms.' }),
    written: Type.Integer({ description: 'Results delivered since it was opened.' }),
    dropped: Type.Integer({ description: 'Results given up: it was too slow, or failing.' }),
    error: Type.Optional(ErrorInfo),
  }),
])
export type OutputStatus = Static<typeof OutputStatus>
export const Outputs = Type.Record(Type.String(), OutputStatus)

/** The retained `model` topic. */
export const ModelStatus = Type.Object({
  id: Type.String({ description: 'The model that was asked for.' }),
  state: Type.Enum(['unloaded', 'pulling', 'loading', 'ready', 'failed']),
  device: Device,
  options: ModelOptions,
  progress: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  running: Type.Optional(
    Type.String({ description: 'The model that infers, where it is not (yet) the one asked for.' }),
  ),
  task: Type.Optional(Type.String()),
  labels: Type.Optional(Type.Array(Type.String())),
  provider: Type.Optional(Type.String({ description: 'The execution provider really in use.' })),
  input: Type.Optional(
    Type.Object({
      width: Type.Integer(),
      height: Type.Integer(),
      dtype: Type.String(),
      layout: Type.String(),
    }),
  ),
  sha256: Type.Optional(Type.String()),
  licence: Type.Optional(Type.String()),
  error: Type.Optional(ErrorInfo),
})
export type ModelStatus = Static<typeof ModelStatus>

export const ServicePhase = Type.Enum([
  'idle',
  'starting',
  'running',
  'degraded',
  'stopping',
  'failed',
])
export type ServicePhase = Static<typeof ServicePhase>

/** The retained `state` topic of a service. */
export const ServiceStatus = Type.Object({
  state: ServicePhase,
  since: Type.Number({ description: 'Unix ms.' }),
  reason: Type.Optional(Type.String()),
  error: Type.Optional(ErrorInfo),
})
export type ServiceStatus = Static<typeof ServiceStatus>

/** p50, p95 and p99 over the last second, ms. */
const Quantiles = Type.Object({ p50: Type.Number(), p95: Type.Number(), p99: Type.Number() })
export type Quantiles = Static<typeof Quantiles>

export const InputStats = Type.Object({
  in: Type.Integer({ description: 'Samples read in the last second.' }),
  inferred: Type.Integer(),
  dropped: Type.Integer({ description: 'Samples of a live source replaced by newer ones.' }),
  failed: Type.Integer({ description: 'Samples that could not be decoded or inferred.' }),
  alive: Type.Integer({ description: 'Samples held in memory now.' }),
  total: Type.Integer({ description: 'Samples inferred in this run.' }),
  ms: Type.Record(Type.String(), Quantiles),
})
export type InputStats = Static<typeof InputStats>

/** `stats`: once a second while the service's process is up. */
export const Stats = Type.Object({
  v: Type.Literal(1),
  at: Type.Number(),
  inputs: Type.Record(Type.String(), InputStats),
  undelivered: Type.Integer({ description: 'QoS 0 events dropped because the agent fell behind.' }),
})
export type Stats = Static<typeof Stats>

/** The end of a finite input. */
export const EndedEvent = Type.Object({
  v: Type.Literal(1),
  type: Type.Literal('ended'),
  input: Type.String(),
  run: Type.String(),
  frames: Type.Integer({ description: 'Samples inferred in this run.' }),
  failed: Type.Integer({ description: 'Samples that could not be decoded or inferred.' }),
  at: Type.Number(),
})
export type EndedEvent = Static<typeof EndedEvent>

/** The life of a tracked object: `new`, `update` (at most once a second, when it changed) and `end`. */
export const TrackEvent = Type.Object({
  v: Type.Literal(1),
  type: Type.Enum(['new', 'update', 'end']),
  input: Type.String(),
  run: Type.String(),
  track: Type.Integer({ minimum: 1, description: 'Unique within the run.' }),
  label: Type.String(),
  classId: Type.Integer({ minimum: 0 }),
  firstAt: Type.Number({ description: 'When it was first seen; Unix ms.' }),
  lastAt: Type.Number({ description: 'When it was last seen; Unix ms.' }),
  frames: Type.Integer({ minimum: 1, description: 'Pictures in which it was found.' }),
  box: Box,
  bestScore: Type.Number({ minimum: 0, maximum: 1 }),
  bestBox: Box,
  at: Type.Number(),
})
export type TrackEvent = Static<typeof TrackEvent>

/** `event/<input>`. */
export const InputEvent = Type.Union([EndedEvent, TrackEvent])
export type InputEvent = Static<typeof InputEvent>

/** `stream/<output>/<input>`: a stream that can be watched; an empty payload when it ends. */
export const StreamStatus = Type.Object({
  url: Type.String(),
  protocol: Type.Literal('rtsp'),
  codec: Type.String({ description: 'h264' }),
  width: Type.Integer(),
  height: Type.Integer(),
  fps: Type.Number(),
  viewers: Type.Integer(),
})
export type StreamStatus = Static<typeof StreamStatus>

/** `$state`. */
export const AgentStatus = Type.Object({
  state: Type.Enum(['init', 'ready', 'disconnected', 'lost']),
  boot: Type.String({ description: 'New at every start of the agent.' }),
  at: Type.Number(),
})
export type AgentStatus = Static<typeof AgentStatus>

/** `$info`. */
export const AgentInfo = Type.Object({
  version: Type.String(),
  contract: Type.Integer(),
  agent: Type.String(),
  hardware: Type.Object({
    host: Type.String(),
    platform: Type.String(),
    arch: Type.String(),
    cpu: Type.String(),
    cores: Type.Integer(),
    memoryBytes: Type.Integer(),
  }),
  node: Type.String(),
  providers: Type.Array(Type.String()),
  media: Type.Optional(
    Type.Object(
      {
        engine: Type.String(),
        decoders: Type.Array(Type.String()),
        encoders: Type.Array(Type.String()),
      },
      { description: 'The media engine, and what was found to work on this machine, best first.' },
    ),
  ),
  services: Type.Array(Type.String()),
  addresses: Type.Record(Type.String(), Type.String()),
  schema: Type.String({ description: 'Hash of the AsyncAPI document.' }),
})
export type AgentInfo = Static<typeof AgentInfo>

const Unavailable = Type.Object({
  unavailable: Type.String({ description: 'Why it cannot be read.' }),
})

/** `$metrics`: what cannot be read says why. */
export const Metrics = Type.Object({
  v: Type.Literal(1),
  at: Type.Number(),
  uptimeS: Type.Number(),
  cpu: Type.Union([
    Type.Object({ load: Type.Number({ description: '0–1, all cores' }) }),
    Unavailable,
  ]),
  memory: Type.Union([
    Type.Object({ totalBytes: Type.Number(), usedBytes: Type.Number(), agentBytes: Type.Number() }),
    Unavailable,
  ]),
  disk: Type.Union([
    Type.Object({ path: Type.String(), totalBytes: Type.Number(), freeBytes: Type.Number() }),
    Unavailable,
  ]),
  network: Type.Union([
    Type.Object({ rxBytesPerS: Type.Number(), txBytesPerS: Type.Number() }),
    Unavailable,
  ]),
  temperature: Type.Union([Type.Object({ celsius: Type.Number() }), Unavailable]),
  gpu: Type.Union([
    Type.Array(
      Type.Object({
        name: Type.String(),
        load: Type.Optional(Type.Number()),
        memoryUsedBytes: Type.Optional(Type.Number()),
        memoryTotalBytes: Type.Optional(Type.Number()),
        celsius: Type.Optional(Type.Number()),
      }),
    ),
    Unavailable,
  ]),
  services: Type.Record(
    Type.String(),
    Type.Object({
      pid: Type.Optional(Type.Integer()),
      cpu: Type.Optional(Type.Number({ description: 'Cores in use.' })),
      memoryBytes: Type.Optional(Type.Number({ description: 'Proportional set size.' })),
      restarts: Type.Integer(),
      fps: Type.Number(),
    }),
  ),
})
export type Metrics = Static<typeof Metrics>

/** `$alert/<id>`. */
export const Alert = Type.Object({
  severity: Type.Enum(['info', 'warning', 'error']),
  code: Type.String(),
  since: Type.Number(),
  detail: Type.String(),
})
export type Alert = Static<typeof Alert>

/** `$log`. */
export const LogLine = Type.Object({
  level: Type.String(),
  at: Type.Number(),
  message: Type.String(),
  fields: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
})
export type LogLine = Static<typeof LogLine>
