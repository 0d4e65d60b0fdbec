import type { FastifyInstance } from 'fastify'
import { distrust } from '../net/web-trust.ts'
import type { HttpParts } from './parts.ts'
import { Refusal } from './problems.ts'

const methods = 'GET, HEAD, PUT, POST, PATCH, DELETE'
const requestFields =
  'authorization, content-type, accept, if-match, if-none-match, idempotency-key, last-event-id'
const answerFields = 'etag, location, retry-after, www-authenticate'
/** How long a browser may keep what it was told. */
const KEEP_S = '600'

/**
 * Refuses hosts and origins that are not listed, on every path; answers preflight requests of those that are, and lets
 * their pages read answers (Fetch, 3.2). Never with credentials: tokens are sent by hand, nothing is ambient.
 */
export function trustOrigins(app: FastifyInstance, { trust }: Pick<HttpParts, 'trust'>): void {
  app.addHook('onRequest', async ({ method, headers, socket }, reply) => {
    const { host, origin } = headers
    // An answer to one origin must not be taken from a cache for another.
    reply.raw.setHeader('vary', 'Origin')
    const reason = distrust(trust, { host, origin, address: socket.localAddress })
    if (reason) throw new Refusal(403, reason)
    if (origin === undefined) return
    reply.raw.setHeader('access-control-allow-origin', origin)
    reply.raw.setHeader('access-control-expose-headers', answerFields)
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return
    return reply
      .code(204)
      .headers({
        'access-control-allow-methods': methods,
        'access-control-allow-headers': requestFields,
        'access-control-max-age': KEEP_S,
      })
      .send()
  })
}
