import { Readable } from 'node:stream'
import multipart from '@fastify/multipart'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isIdempotent, type Route } from '../../schemas/route.ts'
import { type RouteName, routes } from '../../schemas/routes.ts'
import { readPayload } from '../control/request.ts'
import { AgentError } from '../core/errors.ts'
import type { RouteAccess } from './callers.ts'
import type { Call, Handler, Handlers, UploadedFile } from './calls.ts'
import { idempotent } from './idempotency.ts'
import type { SpoolLimits } from './spool.ts'

/** Of one request with several files. */
const multipartLimits = { files: 100, fields: 20, parts: 120, headerPairs: 50, fieldSize: 65_536 }

/** Registers every route of `schemas/routes.ts` with its handler. */
export function addRoutes(app: FastifyInstance, handlers: Handlers, limits: SpoolLimits): void {
  const once = idempotent()
  const all = Object.entries(routes).map(([name, route]: [string, Route]) => {
    const handler = handlers[name as RouteName]
    return {
      route,
      handler: isIdempotent(route) ? once(name, handler) : handler,
    }
  })
  takeAnyPayload(app)
  for (const { route, handler } of all) if (!route.uploads) addRoute(app, route, handler)
  // Bodies of its own kind need a context of their own.
  app.register(async (context) => {
    takeAnyStream(context)
    const fileSize = limits.maxUploadBytes + 1
    await context.register(multipart, { limits: { ...multipartLimits, fileSize } })
    for (const { route, handler } of all) if (route.uploads) addRoute(context, route, handler)
  })
}

/** The path that was asked for, without its query. */
export function pathOf({ url }: FastifyRequest): string {
  return url.split('?')[0] ?? '/'
}

/** Bodies are read as MQTT payloads are: JSON, or a bare text such as a URL, whatever their type says. */
function takeAnyPayload(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    const read = readPayload(body as Buffer)
    if (read.ok) done(null, read.value)
    else done(new AgentError('MESSAGE_INVALID', `body: ${read.problem}`))
  })
}

/** Uploads are told by their content, whatever their type says. */
function takeAnyStream(context: FastifyInstance): void {
  context.removeAllContentTypeParsers()
  context.addContentTypeParser('*', (_request, body, done) => done(null, body))
}

/** Bodies are checked where MQTT payloads are, in `control/payloads.ts`, so that both doors judge alike. */
function addRoute(app: FastifyInstance, route: Route, handler: Handler): void {
  const { method, path, params, query, role, answers } = route
  const isEndless = answers[200]?.content?.includes('text/event-stream') ?? false
  app.route({
    method,
    // Asked by HEAD, an endless answer would be made, and never be sent.
    exposeHeadRoute: !isEndless,
    url: path.replace(/\{(\w+)\}/g, ':$1'),
    schema: { ...(params ? { params } : {}), ...(query ? { querystring: query } : {}) },
    config: { role, tokenInUrl: isEndless } satisfies RouteAccess,
    handler: async (request, reply) => {
      const { status = 200, headers = {}, body } = await handler(callOf(request, reply))
      reply.code(status).headers({ 'cache-control': 'no-store', ...headers })
      if (body === undefined) return reply.send()
      const isRaw = body instanceof Readable || body instanceof Uint8Array
      return isRaw ? reply.send(body) : reply.type('application/json').send(body)
    },
  })
}

function callOf(request: FastifyRequest, reply: FastifyReply): Call {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort()
  })
  return {
    params: request.params as Record<string, string>,
    query: request.query as Record<string, string>,
    body: request.body,
    headers: request.headers,
    path: pathOf(request),
    caller: request.caller,
    signal: gone.signal,
    uploads: () => uploadsOf(request),
  }
}

async function* uploadsOf(request: FastifyRequest): AsyncGenerator<UploadedFile, void, void> {
  if (!request.isMultipart()) {
    if (request.body instanceof Readable) yield { content: request.body }
    return
  }
  for await (const { file, filename } of request.files()) {
    yield { content: file, ...(filename ? { name: filename } : {}) }
  }
}
