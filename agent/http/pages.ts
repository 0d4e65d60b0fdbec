import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { packageFolder } from '../config/folders.ts'
import type { RouteAccess } from './callers.ts'
import type { HttpParts } from './parts.ts'
import { serveSwaggerUi } from './swagger-ui.ts'

/** What pages may load: their own server's files. No script stands in a page. */
const pagePolicy = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
} as const

const policyText = Object.entries(pagePolicy)
  .map(([name, value]) => `${name} ${value}`)
  .join('; ')

/** Files of the pages, and their media types. */
const assets = { 'page.css': 'text/css', 'search.js': 'text/javascript' } as const

/** Pages for people: where to go on, and both interfaces to read, to search and to try. Made when they are asked for. */
export function addPages(
  app: FastifyInstance,
  { info, book }: Pick<HttpParts, 'info' | 'book'>,
): void {
  // What they show is what the documents say, which anyone may read.
  const anyone = { config: { role: 'anyone' } satisfies RouteAccess }
  app.get('/', anyone, async (_request, reply) => {
    const { landingPage } = await import('./pages/landing-page.ts')
    return send(reply, 'text/html', landingPage(info()))
  })
  app.get('/docs/events', anyone, async (_request, reply) => {
    const { eventsPage } = await import('./pages/events-page.ts')
    return send(reply, 'text/html', eventsPage(info().version, book))
  })
  for (const [name, type] of Object.entries(assets)) {
    app.get(`/docs/assets/${name}`, anyone, async (_request, reply) =>
      send(reply, type, await readFile(join(packageFolder(), 'dashboards', 'docs', name))),
    )
  }
  serveSwaggerUi(app, { policy: pagePolicy, version: () => info().version })
}

function send(reply: FastifyReply, type: string, body: string | Buffer): FastifyReply {
  return reply
    .headers({ 'content-security-policy': policyText, 'cache-control': 'no-cache' })
    .type(`${type}; charset=utf-8`)
    .send(body)
}
