import type { FastifyInstance } from 'fastify'
import { admitCallers } from './callers.ts'
import { trustOrigins } from './cors.ts'
import { protectBrowsers } from './headers.ts'
import type { HttpParts } from './parts.ts'
import { Refusal } from './problems.ts'
import { limitRates } from './rates.ts'

/** What every request passes before its route, in this order: the cheapest and the least telling first. */
export function defend(app: FastifyInstance, parts: HttpParts): void {
  protectBrowsers(app, parts.trust.secure ?? false)
  trustOrigins(app, parts)
  limitRates(app, parts.config.limits)
  admitCallers(app, parts)
  refuseEncodings(app)
  app.addHook('preParsing', async ({ headers }, reply) => {
    // Now the body is wanted; who is refused need not send it.
    if (headers.expect !== undefined) reply.raw.writeContinue()
  })
}

/** Nothing here unpacks bodies: a small one must not become a large one. */
function refuseEncodings(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ headers }) => {
    const encoding = headers['content-encoding']
    if (encoding === undefined || encoding.toLowerCase() === 'identity') return
    const message = `Content-Encoding '${encoding.slice(0, 50)}' is not read; send the body as it is`
    throw new Refusal(415, message, { 'accept-encoding': 'identity' })
  })
}
