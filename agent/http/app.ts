import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerFactory,
} from 'fastify'
import type { TSchema } from 'typebox'
import { check } from '../../schemas/decode.ts'
import { distrust } from '../net/web-trust.ts'
import { addRoutes, pathOf } from './add-routes.ts'
import type { Handlers } from './calls.ts'
import { addPages } from './pages.ts'
import type { HttpParts } from './parts.ts'
import { problemOf, Refusal } from './problems.ts'
import { httpTraffic } from './prometheus/http-traffic.ts'
import { agentRoutes } from './routes/agent.ts'
import { uploadRoutes } from './routes/compute.ts'
import { documentRoutes } from './routes/documents.ts'
import { eventRoutes } from './routes/events.ts'
import { healthRoutes } from './routes/health.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { partRoutes } from './routes/parts.ts'
import { serviceRoutes } from './routes/services.ts'

/** A control message in a body: as large as on MQTT. */
const MAX_BODY_BYTES = 2 * 1024 * 1024

/**
 * The HTTP interface as a Fastify application, every route of `schemas/routes.ts` registered. It listens nowhere
 * by itself.
 */
export function httpApp(parts: HttpParts, serverFactory?: FastifyServerFactory): FastifyInstance {
  const app = Fastify({
    ...(serverFactory ? { serverFactory } : {}),
    bodyLimit: MAX_BODY_BYTES,
    logger: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
  })
  app.setValidatorCompiler(({ schema, httpPart }) => (value: unknown) => {
    const decoded = check(schema as TSchema, value)
    if (decoded.ok) return { value: decoded.value }
    const problem = `${httpPart ?? 'request'}: ${decoded.problem}`
    return { error: new Error(problem) }
  })
  app.setSerializerCompiler(() => (value) => JSON.stringify(value))
  app.setErrorHandler((error, request, reply) => answerProblem(error, request, reply, parts))
  app.setNotFoundHandler((request, reply) => {
    const refusal = new Refusal(
      404,
      'NOT_FOUND',
      `nothing is at ${request.method} ${pathOf(request)}`,
    )
    answerProblem(refusal, request, reply, parts)
  })
  app.addHook('onRequest', async ({ headers, socket }) => {
    const { host, origin } = headers
    const reason = distrust(parts.trust, { host, origin, address: socket.localAddress })
    if (reason) throw new Refusal(403, 'NOT_AUTHORIZED', reason)
  })
  const traffic = httpTraffic()
  app.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    const route = routeOptions.url?.replace(/:(\w+)/g, '{$1}')
    traffic.answered({
      ...{ method, route, status: reply.statusCode },
      seconds: reply.elapsedTime / 1000,
    })
  })
  const handlers: Handlers = {
    ...partRoutes(parts),
    ...serviceRoutes(parts),
    ...agentRoutes(parts),
    ...uploadRoutes(parts),
    ...eventRoutes(parts),
    ...metricsRoutes(parts, traffic),
    ...healthRoutes(parts),
    ...documentRoutes(parts),
  }
  addRoutes(app, handlers, parts.config)
  addPages(app, parts)
  return app
}

function answerProblem(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { log }: Pick<HttpParts, 'log'>,
): void {
  const { status, headers, body } = problemOf(thrown, pathOf(request))
  if (body.code === 'INTERNAL')
    log.error({ error: thrown, method: request.method }, 'a request failed')
  reply
    .code(status)
    .headers({ 'cache-control': 'no-store', ...headers })
    .type('application/problem+json')
    .serializer((value: unknown) => JSON.stringify(value))
    .send(body)
}
