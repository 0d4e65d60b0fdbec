import type { AgentControl } from '../control/agent-control.ts'
import type { ServiceControl } from '../control/service-control.ts'
import type { Call } from './calls.ts'
import { Refusal } from './problems.ts'

/** A service and its name. */
export interface NamedService {
  readonly id: string
  readonly service: ServiceControl
}

/** The service that a path names; without a name, the default one. @throws Refusal 404, 409 */
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
export function absent(services: ReadonlyMap<string, unknown>, id: string): Refusal {
  const known = [...services.keys()].join(' ') || 'none yet; POST /services makes one'
  return new Refusal(404, 'NOT_FOUND', `no service '${id.slice(0, 80)}' (known: ${known})`)
}

/** The one named `default`, else the only one. */
function defaultService(services: ReadonlyMap<string, unknown>): string {
  if (services.has('default')) return 'default'
  const ids = [...services.keys()]
  const [only, ...others] = ids
  if (only === undefined) {
    throw new Refusal(404, 'NOT_FOUND', 'there is no service; POST /services makes one')
  }
  if (others.length === 0) return only
  const list = ids.map((id) => `/services/${id}`).join(' ')
  throw new Refusal(409, 'CONFLICT', `several services are here and none is named default: ${list}`)
}
