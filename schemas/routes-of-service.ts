import { Compute, Id, InputSet, ModelSet, OutputSet } from './control.ts'
import { ComputeAnswer, Computed, ComputeView } from './http.ts'
import { ok, type Route } from './route.ts'
import { Inputs, ModelStatus, Outputs } from './state.ts'
import Type, { type TObject } from './typebox.ts'

/** The path names a service. */
export const ofService = Type.Object({ service: Id })

/** What configuring a part may end in. */
export const fails = {
  input: ['SOURCE_UNSUPPORTED', 'LIMIT_EXCEEDED'],
  output: ['SINK_UNSUPPORTED', 'LIMIT_EXCEEDED'],
  model: ['MODEL_UNKNOWN'],
} as const satisfies Record<string, Route['fails']>

/** What a computation that is waited for may end in. */
const computing = [
  'CONFLICT',
  'SOURCE_UNSUPPORTED',
  'SOURCE_FORBIDDEN',
  'SOURCE_UNREACHABLE',
  'SOURCE_DECODE',
  'BACKEND_UNAVAILABLE',
  'MODEL_LOAD',
  'MODEL_INTEGRITY',
  'INFERENCE_FAILED',
  'LIMIT_EXCEEDED',
  'SERVICE_CRASHED',
  'TIMEOUT',
  406,
] as const

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
    fails: fails.input,
    answers: inputs,
  },
  'PATCH /input': {
    method: 'PATCH',
    role: 'operator',
    summary: 'Change inputs by id; null removes one.',
    body: InputSet,
    fails: fails.input,
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
    fails: fails.output,
    answers: outputs,
  },
  'PATCH /output': {
    method: 'PATCH',
    role: 'operator',
    summary: 'Change outputs by id; null removes one.',
    body: OutputSet,
    fails: fails.output,
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
    fails: fails.model,
    answers: model,
  },
  'PATCH /model': {
    method: 'PATCH',
    role: 'operator',
    summary: 'Change the model, its device or single options.',
    body: ModelSet,
    fails: fails.model,
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
    fails: computing,
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
    fails: computing,
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
/** Of the default service. */
export const ofDefault = Object.fromEntries(
  entries.map(([name, part]) => [
    name,
    route(part, name.slice(name.indexOf('/')), 'default service'),
  ]),
) as Record<PartName, Route>
/** Of each service, by its name. */
export const ofNamed = Object.fromEntries(
  entries.map(([name, part]) => {
    const path = `/services/{service}${name.slice(name.indexOf('/'))}`
    return [`${part.method} ${path}`, route(part, path, 'services', ofService)]
  }),
) as { [N in PartName as Named<N>]: Route }
