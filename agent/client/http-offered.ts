import { AgentError } from '../core/errors.ts'
import { type Exchange, exchange, type Server } from './http-exchange.ts'

/**
 * Tells a route that this agent does not have from a refusal, by asking for it again without a body.
 * @throws AgentError NOT_FOUND: it has no such route
 */
export async function checkOffered(
  server: Server,
  route: Pick<Exchange, 'method' | 'path' | 'timeoutMs'>,
  refusal: unknown,
): Promise<void> {
  const { code } = AgentError.from(refusal)
  if (code !== 'NOT_FOUND' && code !== 'MESSAGE_INVALID') return
  const again = await exchange(server, route).then(
    (response) => void response.destroy(),
    (error: unknown) => AgentError.from(error),
  )
  if (again?.code !== 'NOT_FOUND' || !again.message.startsWith('nothing is at')) return
  const message = `this agent does not offer ${route.method} ${route.path}: it is older than this client; update it, or use MQTT (--url mqtt://…)`
  throw new AgentError('NOT_FOUND', message, { cause: refusal })
}
