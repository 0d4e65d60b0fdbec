import { eventTopics } from '../../../schemas/events.ts'
import { AgentError } from '../../core/errors.ts'
import type { EventFilter } from '../../events/event-place.ts'
import type { Call, Handler, Handlers } from '../calls.ts'
import type { HttpParts } from '../parts.ts'
import { Refusal } from '../problems.ts'
import { serviceOf } from '../services.ts'

type Parts = Pick<HttpParts, 'control' | 'events' | 'config'>

/** What the agent publishes, as server-sent events. */
export function eventRoutes({
  control,
  ...parts
}: Parts): Handlers<'GET /events' | 'GET /services/{service}/events'> {
  const stream = streaming(parts)
  return {
    'GET /events': async (call) => stream(call, {}),
    'GET /services/{service}/events': async (call) =>
      stream(call, { service: serviceOf(control, call).id }),
  }
}

function streaming({ events, config }: Omit<Parts, 'control'>) {
  return (call: Call, scope: Pick<EventFilter, 'service'>): Awaited<ReturnType<Handler>> => {
    const { streams } = config.events
    const filter = { ...scope, ...filterOf(call) }
    if (events.counts.open >= streams) {
      const message = `${streams} event streams are open already (setting http.events.streams)`
      throw new Refusal(503, message)
    }
    const { 'last-event-id': header } = call.headers
    const seen = typeof header === 'string' ? header : call.query.lastEventId
    return {
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        // nginx would collect what it passes on.
        'x-accel-buffering': 'no',
      },
      body: events.open(filter, seen?.slice(0, 100)),
    }
  }
}

/** @throws AgentError MESSAGE_INVALID */
function filterOf({ query }: Call): EventFilter {
  const topics = query.topics?.split(',')
  const wrong = topics?.find((topic) => !eventTopics.includes(topic))
  if (wrong !== undefined) {
    const message = `topics: '${wrong}' is no topic (known: ${eventTopics.join(' ')})`
    throw new AgentError('MESSAGE_INVALID', message)
  }
  const inputs = query.inputs?.split(',')
  return { ...(topics ? { topics } : {}), ...(inputs ? { inputs } : {}) }
}
