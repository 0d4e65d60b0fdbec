import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StaticDocumentSpec } from '@fastify/swagger'
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import { packageFolder } from '../config/folders.ts'
import { AgentError } from '../core/errors.ts'
import type { RouteAccess } from './callers.ts'
import { problemOf } from './problems.ts'

/** What the pages of Swagger UI need. */
export interface SwaggerUiParts {
  /** The Content-Security-Policy by directive. */
  readonly policy: Readonly<Record<string, string>>
  version(): string
}

const paths = ['/docs', '/docs/json', '/docs/static/*']

/**
 * Swagger UI at `/docs`, for the OpenAPI document of this agent at its own origin. It is an application of its own,
 * started by the first request: its libraries take 3 MB that most agents never need.
 */
export function serveSwaggerUi(app: FastifyInstance, parts: SwaggerUiParts): void {
  let started: Promise<FastifyInstance> | undefined
  const pass = async ({ raw }: FastifyRequest, reply: FastifyReply): Promise<void> => {
    started ??= swaggerUi(parts)
    const inner = await started
    reply.hijack()
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value)
    }
    inner.routing(raw, reply.raw)
  }
  const anyone = { config: { role: 'anyone' } satisfies RouteAccess }
  for (const path of paths) app.get(path, anyone, pass)
  app.addHook('onClose', async () => (await started)?.close())
}

async function swaggerUi({ policy, version }: SwaggerUiParts): Promise<FastifyInstance> {
  const [{ default: swagger }, { default: ui }, { openApi }] = await Promise.all([
    import('@fastify/swagger'),
    import('@fastify/swagger-ui'),
    import('../../schemas/openapi.ts'),
  ])
  const app = Fastify({ logger: false, routerOptions: { ignoreTrailingSlash: true } })
  app.setNotFoundHandler(absent)
  app.setErrorHandler<FastifyError>(({ statusCode = 500, message }, request, reply) =>
    statusCode < 500 ? absent(request, reply) : answer(request, reply, new Error(message)),
  )
  const document = openApi(version()) as StaticDocumentSpec['document']
  await app.register(swagger, { mode: 'static', specification: { document } })
  const script = join(packageFolder(), 'dashboards', 'docs', 'event-streams.js')
  const js = [{ filename: 'event-streams.js', content: await readFile(script, 'utf8') }]
  await app.register(ui, {
    routePrefix: '/docs',
    staticCSP: { ...policy },
    theme: { title: 'Heliograph: HTTP interface', js },
    uiConfig: {
      layout: 'BaseLayout',
      deepLinking: true,
      tryItOutEnabled: true,
      displayRequestDuration: true,
      filter: true,
      docExpansion: 'list',
    },
  })
  await app.ready()
  return app
}

/** Also where a path leads out of the folder. */
function absent(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const message = `nothing is at GET ${pathOf(request)}`
  return answer(request, reply, new AgentError('NOT_FOUND', message))
}

function answer(request: FastifyRequest, reply: FastifyReply, thrown: Error): FastifyReply {
  const { status, body } = problemOf(thrown, pathOf(request))
  return reply.code(status).type('application/problem+json').send(body)
}

const pathOf = ({ url }: FastifyRequest): string => url.split('?')[0] ?? url
