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
import { distrust } from '../net/web-trust.ts'
import type { Handler, Handlers } from './calls.ts'
import { idempotent } from './idempotency.ts'
import { addPages } from './pages.ts'
import type { HttpParts } from './parts.ts'
import { problemOf, Refusal } from './problems.ts'
import { agentRoutes } from './routes/agent.ts'
import { documentRoutes } from './routes/documents.ts'
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
  app.addHook('onRequest', async ({ headers, socket }) => {
    const { host, origin } = headers
    const reason = distrust(parts.trust, { host, origin, address: socket.localAddress })
    if (reason) throw new Refusal(403, 'NOT_AUTHORIZED', reason)
  })
  const handlers: Handlers = {
    ...partRoutes(parts),
    ...serviceRoutes(parts),
    ...agentRoutes(parts),
    ...documentRoutes(parts),
  }
  const once = idempotent()
  for (const [name, route] of Object.entries(routes)) {
    addRoute(app, route, once(name, handlers[name as RouteName]))
  }
  addPages(app, parts)
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
  const { method, path, params, query } = route
  app.route({
    method,
    url: path.replace(/\{(\w+)\}/g, ':$1'),
    schema: { ...(params ? { params } : {}), ...(query ? { querystring: query } : {}) },
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
