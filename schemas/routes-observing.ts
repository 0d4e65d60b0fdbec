import { Id } from './control.ts'
import { EventQuery, eventsDescription } from './events.ts'
import { Alive, Health } from './http.ts'
import type { Route } from './route.ts'
import Type from './typebox.ts'

const events = {
  method: 'GET',
  role: 'viewer',
  query: EventQuery,
  fails: [503],
  answers: {
    200: { description: eventsDescription, content: ['text/event-stream'] },
  },
} as const

/** How the agent and its services are watched: events, metrics, health. */
export const observing = {
  'GET /events': {
    ...events,
    path: '/events',
    tag: 'agent',
    summary: 'What the agent and all its services publish, as server-sent events.',
  },
  'GET /services/{service}/events': {
    ...events,
    path: '/services/{service}/events',
    tag: 'services',
    summary: 'What the service publishes, as server-sent events.',
    params: Type.Object({ service: Id }),
  },
  'GET /metrics': {
    method: 'GET',
    path: '/metrics',
    tag: 'agent',
    role: 'viewer',
    summary: 'Metrics for Prometheus.',
    answers: {
      200: {
        description: 'Text for Prometheus, or OpenMetrics where Accept names it.',
        content: ['text/plain', 'application/openmetrics-text'],
      },
    },
  },
  'GET /health/live': {
    method: 'GET',
    path: '/health/live',
    tag: 'agent',
    role: 'anyone',
    summary: 'Whether the agent lives: it answers.',
    answers: { 200: { description: 'It does.', schema: Alive } },
  },
  'GET /health/ready': {
    method: 'GET',
    path: '/health/ready',
    tag: 'agent',
    role: 'anyone',
    summary: 'Whether every service that is to run has inferred, or says why it has not.',
    answers: {
      200: { description: 'Each has, or says why not.', schema: Health },
      503: { description: 'At least one is still starting.', schema: Health },
    },
  },
} as const satisfies Record<string, Route>
