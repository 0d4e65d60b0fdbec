import { type Topic, topics } from './topics.ts'
import Type, { type Static } from './typebox.ts'

const published: readonly Topic[] = Object.values(topics)

/** First levels of the topics that event streams tell of: all that the agent publishes in JSON. */
export const eventTopics: readonly string[] = [
  ...new Set(
    published
      .filter(({ way, scope, payload }) => way === 'out' && scope !== 'root' && isJson(payload))
      .map(({ path }) => path.split('/')[0] ?? path),
  ),
]

function isJson(payload: Topic['payload']): boolean {
  return !('contentMediaType' in payload)
}

/** The `data` of one event. */
export const EventData = Type.Object({
  service: Type.Optional(Type.String({ description: 'Absent: the agent itself.' })),
  topic: Type.String({
    description: 'As on MQTT, below the service or below the agent: `detections/gate`, `$metrics`.',
  }),
  payload: Type.Unknown({
    description: 'As on MQTT; null where a retained payload was cleared.',
  }),
})
export type EventData = Static<typeof EventData>

/** Which events are wanted, and from where on. */
export const EventQuery = Type.Object({
  topics: Type.Optional(
    Type.String({
      maxLength: 500,
      description: `First levels of topics, separated by commas: ${eventTopics.join(', ')}. Default: all.`,
    }),
  ),
  inputs: Type.Optional(
    Type.String({
      maxLength: 4000,
      description:
        'Ids of inputs, separated by commas: restricts topics of single inputs (detections, event, stream). Default: all.',
    }),
  ),
  lastEventId: Type.Optional(
    Type.String({
      maxLength: 100,
      description: 'As the header Last-Event-ID, for clients that cannot set it.',
    }),
  ),
})

/** What an event stream says, for people. */
export const eventsDescription = [
  'A stream without an end, for an `EventSource` or `curl -N`; Swagger UI shows its first second.',
  'Server-sent events. `event` is the first level of the topic (`fault` for the topic `error`, since that is what an EventSource calls the loss of its connection); `data` is one line of JSON: `service`, `topic`, `payload`.',
  'Without Last-Event-ID, every retained value comes first (state, input, output, model, stream, $state, $info, $metrics, $alert).',
  'With it, what came after that event. `event: gap` tells that some of it is not here any more: where that may concern retained values, they follow.',
  '`event: dropped` (`{"count"}`) tells a slow client how many events of QoS 0 (detections, stats, $metrics, $log) it lost; one that would lose others, or takes nothing for half a minute, is disconnected.',
].join('\n\n')
