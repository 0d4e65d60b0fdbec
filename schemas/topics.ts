import {
  Compute,
  InputSet,
  ModelSet,
  ModelsPull,
  OutputSet,
  ServiceAdd,
  ServiceRemove,
} from './control.ts'
import { Reply } from './envelope.ts'
import { Detections } from './results.ts'
import {
  AgentInfo,
  AgentStatus,
  Alert,
  ErrorEvent,
  InputEvent,
  Inputs,
  LogLine,
  Metrics,
  ModelStatus,
  Outputs,
  ServiceStatus,
  Stats,
  StreamStatus,
} from './state.ts'
import Type, { type TSchema } from './typebox.ts'

/** One MQTT channel of the contract. */
export interface Topic {
  /** Below `<root>/1/<agent>/` (scope agent) or `<root>/1/<agent>/<service>/` (scope service); `{…}` is one level. */
  readonly path: string
  readonly scope: 'agent' | 'service' | 'root'
  /** `in`: anyone → agent. `out`: only the agent publishes it. */
  readonly way: 'in' | 'out'
  readonly qos: 0 | 1
  readonly retain: boolean
  readonly summary: string
  readonly payload: TSchema
}

const control = { way: 'in', qos: 1, retain: false } as const
const status = { way: 'out', qos: 1, retain: true } as const
const event = { way: 'out', qos: 1, retain: false } as const
const flow = { way: 'out', qos: 0, retain: false } as const

/** Every topic of contract version 1 that this agent serves. Adding one is adding an entry. */
export const topics = {
  'input/set': {
    ...control,
    scope: 'service',
    path: 'input/set',
    summary:
      'Choose where samples come from: a URL replaces all inputs; a map by id is a merge patch.',
    payload: InputSet,
  },
  'output/set': {
    ...control,
    scope: 'service',
    path: 'output/set',
    summary: 'Choose where results go: a merge patch by id.',
    payload: OutputSet,
  },
  'model/set': {
    ...control,
    scope: 'service',
    path: 'model/set',
    summary: 'Choose the model or its options; options alone apply to the next frame.',
    payload: ModelSet,
  },
  compute: {
    ...control,
    scope: 'service',
    path: 'compute',
    summary: 'Start (also: empty payload), stop, or infer once.',
    payload: Compute,
  },
  input: {
    ...status,
    scope: 'service',
    path: 'input',
    summary: 'Every input with its state.',
    payload: Inputs,
  },
  output: {
    ...status,
    scope: 'service',
    path: 'output',
    summary: 'Every output with its state and counters.',
    payload: Outputs,
  },
  model: {
    ...status,
    scope: 'service',
    path: 'model',
    summary: 'The model, its options and the provider in use.',
    payload: ModelStatus,
  },
  state: {
    ...status,
    scope: 'service',
    path: 'state',
    summary: 'The state of the service.',
    payload: ServiceStatus,
  },
  detections: {
    ...flow,
    scope: 'service',
    path: 'detections/{input}',
    summary: 'One per inferred frame.',
    payload: Detections,
  },
  event: {
    ...event,
    scope: 'service',
    path: 'event/{input}',
    summary: 'The lives of tracked objects, and the end of a finite input.',
    payload: InputEvent,
  },
  stream: {
    ...status,
    scope: 'service',
    path: 'stream/{output}/{input}',
    summary: 'A stream that can be watched; an empty payload when it ends.',
    payload: StreamStatus,
  },
  preview: {
    ...flow,
    scope: 'service',
    path: 'preview/{input}',
    summary: 'The annotated picture as a JPEG, while a subscription names preview literally.',
    payload: Type.Any({ description: 'JPEG bytes.', contentMediaType: 'image/jpeg' }),
  },
  stats: {
    ...flow,
    scope: 'service',
    path: 'stats',
    summary: 'Once a second: rates, drops, samples alive, latency by stage.',
    payload: Stats,
  },
  error: {
    ...event,
    scope: 'service',
    path: 'error',
    summary: 'A refused message without replyTo, or a fault with no other place.',
    payload: ErrorEvent,
  },
  $state: {
    ...status,
    scope: 'agent',
    path: '$state',
    summary: 'Whether the agent is there.',
    payload: AgentStatus,
  },
  $info: {
    ...status,
    scope: 'agent',
    path: '$info',
    summary: 'What the agent is and where it listens.',
    payload: AgentInfo,
  },
  $metrics: {
    ...flow,
    retain: true,
    scope: 'agent',
    path: '$metrics',
    summary: 'Resources of the machine and of each service.',
    payload: Metrics,
  },
  $alert: {
    ...status,
    scope: 'agent',
    path: '$alert/{alert}',
    summary: 'Something a person should look at; an empty payload when it clears.',
    payload: Alert,
  },
  $log: {
    ...flow,
    scope: 'agent',
    path: '$log',
    summary: 'Log lines from a configured level up.',
    payload: LogLine,
  },
  $error: {
    ...event,
    scope: 'agent',
    path: '$error',
    summary: 'A refused message that names no service.',
    payload: ErrorEvent,
  },
  '$cmd/ping': {
    ...control,
    scope: 'agent',
    path: '$cmd/ping',
    summary: 'Answers with the time and the boot id.',
    payload: Type.Object({}),
  },
  '$cmd/service/add': {
    ...control,
    scope: 'agent',
    path: '$cmd/service/add',
    summary: 'Add a service, or change the parts that the message names.',
    payload: ServiceAdd,
  },
  '$cmd/service/remove': {
    ...control,
    scope: 'agent',
    path: '$cmd/service/remove',
    summary: 'Stop a service and clear its topics.',
    payload: ServiceRemove,
  },
  '$cmd/models/list': {
    ...control,
    scope: 'agent',
    path: '$cmd/models/list',
    summary: 'Answers with the models that services may use.',
    payload: Type.Object({}),
  },
  '$cmd/models/pull': {
    ...control,
    scope: 'agent',
    path: '$cmd/models/pull',
    summary: 'Fetch and convert a model ahead of its use.',
    payload: ModelsPull,
  },
  $reply: {
    ...event,
    scope: 'root',
    path: '$reply/{caller}',
    summary: 'Answers to envelopes, where their replyTo says, below this topic.',
    payload: Reply,
  },
} as const satisfies Record<string, Topic>

export type TopicName = keyof typeof topics

/** The control topics: what a caller may publish. */
export type ControlName = {
  [N in TopicName]: (typeof topics)[N]['way'] extends 'in' ? N : never
}[TopicName]
