import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import type { Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Log } from '../core/log.ts'
import { bodyPace, type PaceLimits } from './body-pace.ts'
import { limitPieces } from './body-pieces.ts'
import { clientErrors } from './client-errors.ts'
import { type ConnectionLimits, limitConnections } from './connection-limit.ts'
import { lingerAfter } from './linger.ts'
import { listen } from './listen.ts'
import { type HeadLimits, misshapen } from './request-shape.ts'
import { followTls, readTls, type TlsFiles } from './tls-files.ts'
import { underWay } from './under-way.ts'
import { problemBody, problemHeaders, problemType, type WebProblem } from './web-problem.ts'
import type { WebTrust } from './web-trust.ts'

/** What the web server takes from its clients. */
export interface WebLimits extends ConnectionLimits, HeadLimits, PaceLimits {
  readonly requestsPerConnection: number
  readonly headerBytes: number
  readonly headersMs: number
  readonly requestMs: number
  readonly keepAliveMs: number
  readonly drainMs: number
}

/** Where the web server listens, and which web pages it trusts. */
export interface WebConfig {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Host names of this machine, besides localhost and the addresses it is reached at. */
  readonly allowedHosts: readonly string[]
  /** Origins of web pages that may connect, besides pages of the server itself. */
  readonly allowedOrigins: readonly string[]
  readonly tls: TlsFiles
  readonly limits: WebLimits
}

/** Answers requests. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void

/** One HTTP server for everything that speaks HTTP: the API, MQTT over WebSocket and live video. */
export interface WebServer {
  /** For those who answer upgrades to WebSocket, each on a path of its own. */
  readonly server: Server | TlsServer
  readonly port: number
  /** `http://host:port`, or `https://…` */
  readonly origin: string
  readonly trust: WebTrust
  /** Who answers requests from now on; until then they are told to come back. */
  handle(handler: RequestHandler): void
  /** Frees the port, refuses new requests and settles when the accepted ones are answered, or `drainMs` are over. */
  drain(): Promise<void>
  /** Frees the port and ends every connection. */
  close(): Promise<void>
}

/** Requests that may wait for their turn on one connection. Clients that send several at once are rare. */
const MOST_PIPELINED = 64
/** How often Node looks for requests that take too long. */
const CHECK_MS = 2000

/**
 * Starts to listen.
 * @throws AgentError CONFIG_INVALID: the port is taken (see `portTaken`), the host is not this machine's, or the
 *   certificate cannot be used
 */
export async function openWebServer(config: WebConfig, log: Log): Promise<WebServer> {
  const { host, allowedHosts, allowedOrigins, limits } = config
  const tls = config.tls.certFile === '' ? undefined : config.tls
  const server = await newServer(limits, tls, log)
  const door = attachDoor(server, limits, tls === undefined)
  const place = { host, port: config.port, setting: 'http.port', flag: '--http-port' }
  const port = await listen(server, place)
  const watch = tls && (await followTls(server as TlsServer, tls, log))
  let closed: Promise<void> | undefined
  return {
    server,
    port,
    origin: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    trust: { hosts: [...allowedHosts, host], origins: allowedOrigins, secure: tls !== undefined },
    handle: door.handle,
    drain: () => door.drain(),
    close() {
      watch?.close()
      door.close()
      closed ??= new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      return closed
    },
  }
}

async function newServer(limits: WebLimits, tls: TlsFiles | undefined, log: Log) {
  const options: ServerOptions = {
    // Small packets must not wait for an acknowledgement; the dead are noticed.
    ...{ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 },
    // Checked in `misshapen`, whose answer says why.
    requireHostHeader: false,
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: Math.max(limits.requestMs, limits.headersMs),
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, limits.headersMs),
  }
  if (!tls) return createServer(options)
  const https = await import('node:https')
  const handshakeTimeout = limits.headersMs
  return https.createServer({ ...options, ...(await readTls(tls, log)), handshakeTimeout })
}

/** Everything that a request passes before its handler. */
function attachDoor(server: Server, limits: WebLimits, plain: boolean) {
  const open = underWay(server, limits.drainMs)
  const turnedAway = limitConnections(server, limits, plain)
  const pace = bodyPace(limits, (request) => {
    const detail = `the body arrives more slowly than http.limits.bodyBytesPerSecond (${limits.bodyBytesPerSecond})`
    open.refuse(request, { status: 408, code: 'TIMEOUT', detail })
  })
  let handler: RequestHandler = (request, response) =>
    sendProblem(request, response, comeBack('the agent is starting'))

  function take(request: IncomingMessage, response: ServerResponse): void {
    if (turnedAway(request.socket)) return
    const draining = open.draining ? comeBack('the agent is stopping') : undefined
    const pending = open.add(request, response)
    // One of them is answered, which ends the connection; until then no more are read.
    if (pending > MOST_PIPELINED) request.socket.pause()
    if (pending > MOST_PIPELINED + 1) return
    lingerAfter(request, response)
    const flood = pending > MOST_PIPELINED ? tooMany : undefined
    const problem = draining ?? flood ?? misshapen(request, limits)
    if (problem) {
      sendProblem(request, response, problem)
      return
    }
    pace.follow(request)
    limitPieces(request, (detail) =>
      open.refuse(request, { status: 413, code: 'LIMIT_EXCEEDED', detail }),
    )
    handler(request, response)
  }
  server.maxHeadersCount = limits.headers + 1
  server.maxRequestsPerSocket = limits.requestsPerConnection
  server.on('request', take)
  // The handler says when it wants the body: until then, nobody sends one that is refused.
  server.on('checkContinue', take)
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const detail = `Expect '${request.headers.expect?.slice(0, 50)}' is not known; 100-continue is`
    sendProblem(request, response, { status: 417, code: 'MESSAGE_INVALID', detail })
  })
  server.on('clientError', clientErrors(open.current))
  // The answers of connections that ended in their handshake have nowhere to go.
  server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy())
  return {
    handle(next: RequestHandler) {
      handler = next
    },
    drain: () => open.drain(),
    close: () => pace.close(),
  }
}

const tooMany: WebProblem = {
  status: 429,
  code: 'LIMIT_EXCEEDED',
  detail: `more than ${MOST_PIPELINED} requests wait on this connection`,
  retryable: true,
}

function comeBack(detail: string): WebProblem {
  return { status: 503, code: 'LIMIT_EXCEEDED', detail, retryable: true }
}

function sendProblem(request: IncomingMessage, response: ServerResponse, problem: WebProblem) {
  const body = JSON.stringify(problemBody(problem, request.url ?? '/'))
  response.writeHead(problem.status, {
    'content-type': problemType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    connection: 'close',
    ...problemHeaders(problem),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}
