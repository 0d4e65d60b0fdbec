import { AgentError } from '../core/errors.ts'

/**
 * The service that is meant: the named one, else the one called `default`, else the only one.
 * @throws AgentError NOT_FOUND, CONFLICT, both with the list of those there are
 */
export function meantService(services: readonly string[], named?: string): string {
  const [only, ...others] = services
  const list = services.join(' ')
  if (named !== undefined) {
    if (services.includes(named)) return named
    throw new AgentError('NOT_FOUND', `no service '${named}' (known: ${list || 'none yet'})`)
  }
  if (services.includes('default')) return 'default'
  if (only === undefined) throw new AgentError('NOT_FOUND', 'the agent has no service yet')
  if (others.length === 0) return only
  throw new AgentError(
    'CONFLICT',
    `the agent has several services and none is named default; name one of: ${list}`,
  )
}
