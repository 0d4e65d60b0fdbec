import type { WebServer } from '../net/web-server.ts'
import { httpApp } from './app.ts'
import type { HttpParts } from './parts.ts'

/** The running HTTP interface. */
export interface HttpInterface {
  /** Takes no further requests, and finishes those it has. */
  drain(): Promise<void>
  close(): Promise<void>
}

/** Answers requests on a web server that listens already. */
export async function serveHttp(web: WebServer, parts: HttpParts): Promise<HttpInterface> {
  const app = httpApp(parts, (handler) => {
    web.handle(handler)
    return web.server
  })
  await app.ready()
  return { drain: () => web.drain(), close: () => app.close() }
}
