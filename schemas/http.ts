import { Id, ServiceAdd } from './control.ts'
import { errorCodes } from './errors.ts'
import { Detections } from './results.ts'
import {
  Inputs,
  ModelStatus,
  Outputs,
  ServicePhase,
  ServiceStatus,
  Stats,
  StreamStatus,
} from './state.ts'
import Type, { type Static } from './typebox.ts'

/** What went wrong, as RFC 9457 has it, with the code that it has on MQTT. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'urn:heliograph:error:<code>' }),
    title: Type.String({ description: 'What the code means.' }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String(),
    instance: Type.String({ description: 'The path that was asked for.' }),
    code: Type.Enum(Object.keys(errorCodes)),
    retryable: Type.Boolean(),
    cure: Type.String({ description: 'What mends it.' }),
  },
  { description: 'A problem (RFC 9457); `code` is the same as on MQTT.' },
)
export type Problem = Static<typeof Problem>

/** A stream that is wanted: where it is to be found, and what it is once it is open. */
export const StreamView = Type.Object({
  ...Type.Partial(StreamStatus).properties,
  url: Type.String({ description: 'rtsp://…; players may open it at once.' }),
})
export type StreamView = Static<typeof StreamView>
const { service: _, ...sectionParts } = ServiceAdd.properties

/** A service without its name. */
export const ServiceSection = Type.Object(sectionParts)

/** One service, as it is wanted and as it is. */
export const ServiceView = Type.Object({
  service: Id,
  compute: Type.Enum(['start', 'stop']),
  state: ServiceStatus,
  input: Inputs,
  output: Outputs,
  model: ModelStatus,
  streams: Type.Record(Type.String(), StreamView, { description: 'By <output>/<input>.' }),
  stats: Type.Optional(Stats),
})
export type ServiceView = Static<typeof ServiceView>

/** `GET /compute`. */
export const ComputeView = Type.Object({
  compute: Type.Enum(['start', 'stop'], { description: 'What is wanted.' }),
  state: ServiceStatus,
  streams: Type.Record(Type.String(), StreamView, { description: 'By <output>/<input>.' }),
})
export type ComputeView = Static<typeof ComputeView>

/** Every result, in order; where the work failed after the first, why. */
export const Results = Type.Object({
  results: Type.Array(Detections),
  error: Type.Optional(Problem),
})

/** What a computation over HTTP gives in JSON: one result, or several. */
export const Computed = Type.Union([Detections, Results])

/** `PUT /compute`: stills are answered with what was found, the rest with how the service is. */
export const ComputeAnswer = Type.Union([ComputeView, Detections, Results])

/** One model of this machine. */
export const ModelView = Type.Object({
  id: Type.String(),
  task: Type.String(),
  family: Type.String(),
  licence: Type.String(),
  labels: Type.Array(Type.String()),
  state: Type.Enum(['ready', 'absent'], { description: 'Whether its file is on this machine.' }),
  bytes: Type.Optional(Type.Integer({ description: 'Size of the file.' })),
})
export type ModelView = Static<typeof ModelView>

/** What pulling a model gave. */
export const PulledModel = Type.Object({ model: Type.String(), sha256: Type.String() })
export type PulledModel = Static<typeof PulledModel>

/** `GET /ping`. */
export const Pong = Type.Object({
  boot: Type.String({ description: 'New at every start of the agent.' }),
  at: Type.Number({ description: 'Unix ms.' }),
})
export type Pong = Static<typeof Pong>

/** `GET /health/live`. */
export const Alive = Type.Object({ status: Type.Literal('live') })

/** `GET /health/ready`. */
export const Health = Type.Object({
  status: Type.Enum(['starting', 'ready', 'degraded'], {
    description: 'degraded: a service has trouble, and says which.',
  }),
  services: Type.Array(
    Type.Object({
      service: Id,
      wanted: Type.Boolean({ description: 'Whether it is to run.' }),
      ready: Type.Boolean({
        description: 'Not wanted, or it has inferred since it was wanted, or says why it has not.',
      }),
      state: ServicePhase,
      reason: Type.Optional(Type.String()),
      code: Type.Optional(Type.String({ description: 'Of the error, as on MQTT.' })),
    }),
  ),
})
export type Health = Static<typeof Health>
