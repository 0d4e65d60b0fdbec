import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerFactory,
} from 'fastify'
import { check } from '../../schemas/decode.ts'
import type { TSchema } from '../../schemas/typebox.ts'
import { addRoutes, pathOf } from './add-routes.ts'
import type { Handlers } from './calls.ts'
import { defend } from './defences.ts'
import { answerUnrouted } from './methods.ts'
import { addPages } from './pages.ts'
import type { HttpParts } from './parts.ts'
import { problemOf } from './problems.ts'
import { httpTraffic } from './prometheus/http-traffic.ts'
import { agentRoutes } from './routes/agent.ts'
import { uploadRoutes } from './routes/compute.ts'
import { documentRoutes } from './routes/documents.ts'
import { eventRoutes } from './routes/events.ts'
import { healthRoutes } from './routes/health.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { partRoutes } from './routes/parts.ts'
import { serviceRoutes } from './routes/services.ts'

/**
 * The HTTP interface as a Fastify application, every route of `schemas/routes.ts` registered. It listens nowhere
 * by itself.
 */
export function httpApp(parts: HttpParts, serverFactory?: FastifyServerFactory): FastifyInstance {
  const app = Fastify({
    ...(serverFactory ? { serverFactory } : {}),
    bodyLimit: parts.config.limits.bodyBytes,
    logger: false,
    // The web server answers what is no HTTP, and while it drains.
    clientErrorHandler: () => undefined,
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => answerProblem(error, request, reply, parts),
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
  app.setNotFoundHandler(answerUnrouted)
  defend(app, parts)
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
  // Whoever is refused early shall not go on sending.
  if (!request.raw.complete) reply.header('connection', 'close')
  if (body.code === 'INTERNAL')
    log.error({ error: thrown, method: request.method }, 'a request failed')
  reply
    .code(status)
    .headers({ 'cache-control': 'no-store', ...headers })
    .type('application/problem+json')
    .serializer((value: unknown) => JSON.stringify(value))
    .send(body)
}
