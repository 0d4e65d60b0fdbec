import type { AgentInfo } from '../../../schemas/state.ts'
import type { EventCounts } from '../../events/event-log.ts'
import { type Family, family, gauge } from './family.ts'

/** What the broker counts. */
export interface BrokerCounts {
  readonly clients: number
  /** By kind: refused connections, dropped messages and the like. */
  readonly mishaps: Readonly<Record<string, number>>
}

/** What is known of the agent besides its services. */
export interface AgentFacts {
  readonly info: AgentInfo
  /** Unix ms. */
  readonly startedAt: number
  readonly broker: BrokerCounts
  readonly events: EventCounts
}

/** The agent, its broker and its event streams. */
export function agentFamilies({ info, startedAt, broker, events }: AgentFacts): Family[] {
  const { version, contract, agent, node } = info
  const build = { version, contract: String(contract), agent, node }
  return [
    family('gauge', 'heliograph_build_info', 'What runs.', [{ labels: build, value: 1 }]),
    gauge('heliograph_start_time_seconds', 'When the agent started, Unix time.', startedAt / 1000),
    gauge('heliograph_broker_clients', 'MQTT clients connected.', broker.clients),
    family(
      'counter',
      'heliograph_broker_mishaps_total',
      'What the broker refused, dropped or closed, by kind.',
      Object.entries(broker.mishaps).map(([kind, value]) => ({ labels: { kind }, value })),
    ),
    gauge('heliograph_event_streams', 'Streams of server-sent events open.', events.open),
    counter(
      'heliograph_event_streams_dropped_events_total',
      'Events that slow clients of event streams lost.',
      events.dropped,
    ),
    counter(
      'heliograph_event_streams_closed_total',
      'Event streams closed because their client took nothing.',
      events.closed,
    ),
  ]
}

function counter(name: string, help: string, value: number): Family {
  return family('counter', name, help, [{ labels: {}, value }])
}
