import { ModelsPull, ServiceAdd } from './control.ts'
import { ModelView, Pong, PulledModel, ServiceSection, ServiceView } from './http.ts'
import { ok, type Route } from './route.ts'
import { observing } from './routes-observing.ts'
import { fails, ofDefault, ofNamed, ofService } from './routes-of-service.ts'
import { AgentInfo } from './state.ts'
import Type from './typebox.ts'

const sectionFails = [...fails.model, ...fails.input, ...fails.output] as const
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
    fails: ['CONFLICT', ...sectionFails],
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
    fails: sectionFails,
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
    fails: sectionFails,
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
    fails: ['MODEL_UNKNOWN', 'MODEL_LOAD', 'MODEL_INTEGRITY'],
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
