import type { Health } from '../../schemas/http.ts'
import type { ServiceFacts } from './service-record.ts'
import type { ServiceState } from './service-state.ts'
import { phaseOf, serviceStatus } from './view.ts'

/** What readiness is judged by. */
export interface Judged {
  readonly state: ServiceState
  readonly facts: Pick<ServiceFacts, 'inferred'> & { readonly since: number }
}

type ServiceHealth = Health['services'][number]

/**
 * Whether every wanted service has inferred since it was wanted, or says why it has not. What went wrong is
 * told by its code: messages may name what is not everybody's business.
 */
export function healthOf(services: ReadonlyMap<string, Judged>): Health {
  const each = [...services].map(([id, service]) => serviceHealth(id, service))
  const ready = each.every((service) => service.ready)
  const troubled = each.some(({ state }) => state === 'degraded' || state === 'failed')
  const status = troubled ? 'degraded' : 'ready'
  return { status: ready ? status : 'starting', services: each }
}

function serviceHealth(service: string, { state, facts }: Judged): ServiceHealth {
  const { state: phase, reason, error } = serviceStatus(state, facts.since)
  const why = reason ?? waiting(state)
  const explained = phase === 'degraded' || phase === 'failed' || (phase === 'running' && why)
  const ready = state.desired.compute === 'stop' || facts.inferred || Boolean(explained)
  return {
    ...{ service, wanted: state.desired.compute === 'start', state: phase, ready },
    ...(why ? { reason: why } : {}),
    ...(ready || why ? {} : { reason: 'nothing was inferred yet' }),
    ...(error ? { code: error.code } : {}),
  }
}

/** Pictures come when somebody publishes them: until then the service waits, as it should. */
function waiting(service: ServiceState): string | undefined {
  const inputs = Object.values(service.desired.inputs)
  if (phaseOf(service) !== 'running' || !inputs.every(({ url }) => url.startsWith('mqtt:'))) return
  return 'it waits for pictures on its topic'
}
