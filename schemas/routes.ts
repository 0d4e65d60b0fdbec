import Type, { type TObject, type TSchema } from 'typebox'
import { Compute, Id, InputSet, ModelSet, ModelsPull, OutputSet, ServiceAdd } from './control.ts'
import {
  ComputeAnswer,
  Computed,
  ComputeView,
  ModelView,
  Pong,
  Problem,
  PulledModel,
  ServiceSection,
  ServiceView,
} from './http.ts'
import { observing } from './routes-observing.ts'
import { AgentInfo, Inputs, ModelStatus, Outputs } from './state.ts'

/** Who may call a route, where clients authenticate: each may do what the ones before it may. */
export type Role = 'anyone' | 'viewer' | 'operator' | 'admin'

/** What a route answers. */
export interface Answer {
  readonly description: string
  /** Of a body in JSON. */
  readonly schema?: TSchema
  /** Media types of bodies that are no JSON. */
  readonly content?: readonly string[]
}

/** One call of the HTTP interface. */
export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  /** `{name}` is one segment. */
  readonly path: string
  readonly tag: 'default service' | 'services' | 'models' | 'agent'
  readonly summary: string
  readonly role: Role
  readonly params?: TObject
  readonly query?: TObject
  /** In JSON; a text that is no JSON is taken as a string. */
  readonly body?: TSchema
  /** Without a body it means something, too. */
  readonly bodyOptional?: true
  /** Media types of bodies that are no JSON. */
  readonly uploads?: readonly string[]
  /** By status. */
  readonly answers: Readonly<Record<number, Answer>>
}

const ofService = Type.Object({ service: Id })

/** Problems that any call may end in. */
export const problemAnswer: Answer = {
  description: 'What went wrong, and its cure.',
  schema: Problem,
}

const ok = (description: string, schema: TSchema) => ({ 200: { description, schema } })

type Part = Omit<Route, 'path' | 'tag' | 'params'>

const inputs = ok('Every input with its state.', Inputs)
const outputs = ok('Every output with its state and counters.', Outputs)
const model = ok('The model with its options and state.', ModelStatus)
const compute = ok('What is wanted, how it goes, and the streams to watch.', ComputeView)

/** What the paper's interface offers for one service. */
const parts = {
  'GET /input': {
    method: 'GET',
    role: 'viewer',
    summary: 'Where samples come from, and how each input is.',
    answers: inputs,
  },
  'PUT /input': {
    method: 'PUT',
    role: 'operator',
    summary: 'Replace all inputs: by one URL, or by a map.',
    body: InputSet,
    answers: inputs,
  },
  'PATCH /input': {
    method: 'PATCH',
    role: 'operator',
    summary: 'Change inputs by id; null removes one.',
    body: InputSet,
    answers: inputs,
  },
  'GET /output': {
    method: 'GET',
    role: 'viewer',
    summary: 'Where results go, and how each output is.',
    answers: outputs,
  },
  'PUT /output': {
    method: 'PUT',
    role: 'operator',
    summary: 'Replace all outputs.',
    body: OutputSet,
    answers: outputs,
  },
  'PATCH /output': {
    method: 'PATCH',
    role: 'operator',
    summary: 'Change outputs by id; null removes one.',
    body: OutputSet,
    answers: outputs,
  },
  'GET /model': {
    method: 'GET',
    role: 'viewer',
    summary: 'The model, its options and the provider in use.',
    answers: model,
  },
  'PUT /model': {
    method: 'PUT',
    role: 'operator',
    summary: "Choose the model; options that are not named go back to the model's own.",
    body: ModelSet,
    answers: model,
  },
  'PATCH /model': {
    method: 'PATCH',
    role: 'operator',
    summary: 'Change the model, its device or single options.',
    body: ModelSet,
    answers: model,
  },
  'GET /compute': {
    method: 'GET',
    role: 'viewer',
    summary: 'Whether the service is to run, how it is, and where its streams are.',
    answers: compute,
  },
  'PUT /compute': {
    method: 'PUT',
    role: 'operator',
    summary: 'Start (also: empty body), stop, or infer once.',
    body: Compute,
    bodyOptional: true,
    answers: {
      200: { description: 'Stopped, or what was inferred once.', schema: ComputeAnswer },
      202: { description: 'Started; the streams can be watched.', schema: ComputeView },
    },
  },
  'POST /compute': {
    method: 'POST',
    role: 'operator',
    summary:
      'Send pictures or a video, get what was found in them: as JSON, or drawn on the picture.',
    uploads: [
      'image/jpeg',
      'image/png',
      'image/webp',
      'image/gif',
      'video/mp4',
      'multipart/form-data',
    ],
    query: Type.Object({
      tag: Type.Optional(Type.String({ maxLength: 256, description: 'Copied into the results.' })),
    }),
    answers: {
      200: {
        description:
          'One result, or several in the order of the files and their pictures. application/x-ndjson gives one line each; image/jpeg and image/png the picture with the boxes, several as multipart/mixed.',
        schema: Computed,
        content: ['application/x-ndjson', 'image/jpeg', 'image/png', 'multipart/mixed'],
      },
    },
  },
} as const satisfies Record<string, Part>

type Parts = typeof parts
type PartName = keyof Parts
type Named<N extends PartName> = N extends `${infer M} ${infer P}`
  ? `${M} /services/{service}${P}`
  : never

function route(part: Part, path: string, tag: Route['tag'], params?: TObject): Route {
  return { ...part, path, tag, ...(params ? { params } : {}) }
}

const entries = Object.entries(parts) as [PartName, Part][]
const ofDefault = Object.fromEntries(
  entries.map(([name, part]) => [
    name,
    route(part, name.slice(name.indexOf('/')), 'default service'),
  ]),
) as Record<PartName, Route>
const ofNamed = Object.fromEntries(
  entries.map(([name, part]) => {
    const path = `/services/{service}${name.slice(name.indexOf('/'))}`
    return [`${part.method} ${path}`, route(part, path, 'services', ofService)]
  }),
) as { [N in PartName as Named<N>]: Route }

const view = { description: 'The service.', schema: ServiceView }

/** Every route of the HTTP interface. Adding one is adding an entry, and its handler in `agent/http/routes`. */
export const routes = {
  ...ofDefault,
  'GET /services': {
    method: 'GET',
    path: '/services',
    tag: 'services',
    role: 'viewer',
    summary: 'Every service.',
    answers: ok('The services.', Type.Array(ServiceView)),
  },
  'POST /services': {
    method: 'POST',
    path: '/services',
    tag: 'services',
    role: 'admin',
    summary: 'Add a service.',
    body: ServiceAdd,
    answers: { 201: view },
  },
  'GET /services/{service}': {
    method: 'GET',
    path: '/services/{service}',
    tag: 'services',
    role: 'viewer',
    summary: 'One service, as it is wanted and as it is.',
    params: ofService,
    answers: { 200: view },
  },
  'PUT /services/{service}': {
    method: 'PUT',
    path: '/services/{service}',
    tag: 'services',
    role: 'admin',
    summary: 'Make a service, or replace what it is made of.',
    params: ofService,
    body: ServiceSection,
    bodyOptional: true,
    answers: { 200: view, 201: view },
  },
  'PATCH /services/{service}': {
    method: 'PATCH',
    path: '/services/{service}',
    tag: 'services',
    role: 'admin',
    summary: 'Change the parts of a service that the body names.',
    params: ofService,
    body: ServiceSection,
    bodyOptional: true,
    answers: { 200: view },
  },
  'DELETE /services/{service}': {
    method: 'DELETE',
    path: '/services/{service}',
    tag: 'services',
    role: 'admin',
    summary: 'Stop a service and forget it.',
    params: ofService,
    answers: { 204: { description: 'It is gone.' } },
  },
  ...ofNamed,
  'GET /models': {
    method: 'GET',
    path: '/models',
    tag: 'models',
    role: 'viewer',
    summary: 'The models that services may use.',
    answers: ok('The models.', Type.Array(ModelView)),
  },
  'POST /models': {
    method: 'POST',
    path: '/models',
    tag: 'models',
    role: 'admin',
    summary: 'Fetch and convert a model ahead of its use; answers when it is done.',
    body: ModelsPull,
    answers: ok('It lies on this machine.', PulledModel),
  },
  'GET /info': {
    method: 'GET',
    path: '/info',
    tag: 'agent',
    role: 'viewer',
    summary: 'What the agent is and where it listens.',
    answers: ok('The agent.', AgentInfo),
  },
  'GET /ping': {
    method: 'GET',
    path: '/ping',
    tag: 'agent',
    role: 'viewer',
    summary: 'Whether the agent answers.',
    answers: ok('It does.', Pong),
  },
  ...observing,
  'GET /openapi.json': {
    method: 'GET',
    path: '/openapi.json',
    tag: 'agent',
    role: 'anyone',
    summary: 'This description of the HTTP interface.',
    answers: ok('An OpenAPI document.', Type.Object({ openapi: Type.String() })),
  },
  'GET /asyncapi.json': {
    method: 'GET',
    path: '/asyncapi.json',
    tag: 'agent',
    role: 'anyone',
    summary: 'The description of the MQTT interface.',
    answers: ok('An AsyncAPI document.', Type.Object({ asyncapi: Type.String() })),
  },
} as const satisfies Record<string, Route>

/** As `GET /services/{service}`. */
export type RouteName = keyof typeof routes
