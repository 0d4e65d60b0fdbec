import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { listen } from './listen.ts'
import type { WebTrust } from './web-trust.ts'

/** Where the web server listens, and which web pages it trusts. */
export interface WebConfig {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Host names of this machine, besides localhost and the addresses it is reached at. */
  readonly allowedHosts: readonly string[]
  /** Origins of web pages that may connect, besides pages of the server itself. */
  readonly allowedOrigins: readonly string[]
}

/** Answers requests. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void

/** One HTTP server for everything that speaks HTTP: the API, MQTT over WebSocket and live video. */
export interface WebServer {
  /** For those who answer upgrades to WebSocket, each on a path of its own. */
  readonly server: Server
  readonly port: number
  /** `http://host:port` */
  readonly origin: string
  readonly trust: WebTrust
  /** Who answers requests from now on; until then they are told to come back. */
  handle(handler: RequestHandler): void
  /** Frees the port and ends every connection. */
  close(): Promise<void>
}

const MAX_CONNECTIONS = 1024
/** Small packets must not wait for an acknowledgement; the dead are noticed. */
const sockets = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }

/**
 * Starts to listen.
 * @throws AgentError CONFIG_INVALID: the port is taken (see `portTaken`), or the host is not this machine's
 */
export async function openWebServer(config: WebConfig): Promise<WebServer> {
  const { host, allowedHosts, allowedOrigins } = config
  let handler: RequestHandler = notYet
  const server = createServer(sockets, (request, response) => handler(request, response))
  server.maxConnections = MAX_CONNECTIONS
  const place = { host, port: config.port, setting: 'http.port', flag: '--http-port' }
  const port = await listen(server, place)
  let closed: Promise<void> | undefined
  return {
    server,
    port,
    origin: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    trust: { hosts: [...allowedHosts, host], origins: allowedOrigins },
    handle(next) {
      handler = next
    },
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      return closed
    },
  }
}

function notYet(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(503, { 'Content-Type': 'text/plain; charset=utf-8', 'Retry-After': '1' })
  response.end('The agent is starting.\n')
}
