import type { AgentControl } from '../control/agent-control.ts'
import type { ServiceControl } from '../control/service-control.ts'
import { AgentError } from '../core/errors.ts'
import type { Call } from './calls.ts'

/** A service and its name. */
export interface NamedService {
  readonly id: string
  readonly service: ServiceControl
}

/** The service that a path names; without a name, the default one. @throws AgentError NOT_FOUND, CONFLICT */
export function serviceOf(
  { services }: AgentControl,
  { params }: Pick<Call, 'params'>,
): NamedService {
  const id = params.service ?? defaultService(services)
  const service = services.get(id)
  if (service) return { id, service }
  throw absent(services, id)
}

/** No service has this name. */
export function absent(services: ReadonlyMap<string, unknown>, id: string): AgentError {
  const known = [...services.keys()].join(' ') || 'none yet; POST /services makes one'
  return new AgentError('NOT_FOUND', `no service '${id.slice(0, 80)}' (known: ${known})`)
}

/** The one named `default`, else the only one. */
function defaultService(services: ReadonlyMap<string, unknown>): string {
  if (services.has('default')) return 'default'
  const ids = [...services.keys()]
  const [only, ...others] = ids
  if (only === undefined) {
    throw new AgentError('NOT_FOUND', 'there is no service; POST /services makes one')
  }
  if (others.length === 0) return only
  const list = ids.map((id) => `/services/${id}`).join(' ')
  throw new AgentError('CONFLICT', `several services are here and none is named default: ${list}`)
}
