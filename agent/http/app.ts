import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerFactory,
} from 'fastify'
import type { TSchema } from 'typebox'
import { check } from '../../schemas/decode.ts'
import { type Route, type RouteName, routes } from '../../schemas/routes.ts'
import { readPayload } from '../control/request.ts'
import { AgentError } from '../core/errors.ts'
import type { RouteAccess } from './callers.ts'
import type { Handler, Handlers } from './calls.ts'
import { defend } from './defences.ts'
import { idempotent } from './idempotency.ts'
import type { HttpParts } from './parts.ts'
import { problemOf, Refusal } from './problems.ts'
import { agentRoutes } from './routes/agent.ts'
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
  takeAnyBody(app)
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
  defend(app, parts)
  const handlers: Handlers = {
    ...partRoutes(parts),
    ...serviceRoutes(parts),
    ...agentRoutes(parts),
  }
  const once = idempotent()
  for (const [name, route] of Object.entries(routes)) {
    addRoute(app, route, once(name, handlers[name as RouteName]))
  }
  return app
}

/** Bodies are read as MQTT payloads are: JSON, or a bare text such as a URL, whatever their type says. */
function takeAnyBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    const read = readPayload(body as Buffer)
    if (read.ok) done(null, read.value)
    else done(new AgentError('MESSAGE_INVALID', `body: ${read.problem}`))
  })
}

/** Bodies are checked where MQTT payloads are, in `control/payloads.ts`, so that both doors judge alike. */
function addRoute(app: FastifyInstance, route: Route, handler: Handler): void {
  const { method, path, params, query, role, answers } = route
  const tokenInUrl = answers[200]?.content?.includes('text/event-stream') ?? false
  app.route({
    method,
    url: path.replace(/\{(\w+)\}/g, ':$1'),
    schema: { ...(params ? { params } : {}), ...(query ? { querystring: query } : {}) },
    config: { role, tokenInUrl } satisfies RouteAccess,
    handler: async (request, reply) => {
      const {
        status = 200,
        headers = {},
        body,
      } = await handler({
        params: request.params as Record<string, string>,
        query: request.query as Record<string, string>,
        body: request.body,
        headers: request.headers,
      })
      reply.code(status).headers({ 'cache-control': 'no-store', ...headers })
      return body === undefined ? reply.send() : reply.type('application/json').send(body)
    },
  })
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

function pathOf({ url }: FastifyRequest): string {
  return url.split('?')[0] ?? '/'
}
