import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import type { Bus } from '../agent/core/bus.ts'
import type { Log } from '../agent/core/log.ts'
import { listen } from '../agent/net/listen.ts'
import type { AddressBook } from '../schemas/address.ts'
import { type Core, startCore } from './core.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { type Mishaps, mishapsOf } from './mishaps.ts'
import { tcpTransport } from './tcp-transport.ts'
import { attachWebSocket } from './websocket.ts'

/** Where the broker listens, and whom it trusts. */
export interface BrokerConfig {
  /** Address for MQTT over TCP. */
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly ws: { readonly host: string; readonly port: number }
  /** Origins of web pages that may connect, besides pages of the server itself. */
  readonly allowedOrigins: readonly string[]
  /** Host names of this machine, besides localhost and the addresses it is reached at. */
  readonly allowedHosts: readonly string[]
}

/** What a broker is made of; `limits` are `defaultLimits` unless given. */
export interface BrokerParts {
  readonly config: BrokerConfig
  readonly book: AddressBook
  readonly log: Log
  readonly limits?: Limits
}

/** A running broker. */
export interface Broker {
  readonly bus: Bus
  readonly addresses: { readonly mqtt: string; readonly ws: string }
  readonly ports: { readonly mqtt: number; readonly ws: number }
  /** Carries MQTT over WebSocket; others may answer upgrades on paths of their own. */
  readonly http: HttpServer
  /** Sends what is on its way, disconnects everyone and frees the ports, within a second. */
  close(): Promise<void>
}

/** Where the HTTP server answers MQTT over WebSocket. */
export const webSocketPath = '/mqtt'
/** Small packets must not wait for an acknowledgement; the dead are noticed without MQTT's own keepalive. */
const sockets = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }
/** One message of a WebSocket may hold the end of one packet and the beginning of the next. */
const messageSlackBytes = 64 * 1024

/**
 * Starts the embedded broker: MQTT 3.1.1 over TCP and WebSocket, everything in memory.
 * @throws AgentError CONFIG_INVALID: a port is taken (see `portTaken`), or an address is not this machine's.
 */
export async function startBroker(parts: BrokerParts): Promise<Broker> {
  const { config, log, limits = defaultLimits } = parts
  const mishaps = mishapsOf(log)
  const core = await startCore({ ...parts, limits, tally: mishaps })
  const tcp = createTcpServer(sockets, (socket) => core.accept(tcpTransport(socket)))
  const http = createHttpServer(sockets, (_request, response) => {
    response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' })
    response.end(`Only MQTT over WebSocket is here, at ${webSocketPath}.\n`)
  })
  http.maxConnections = limits.clients
  const webSocket = serveWebSocket(http, core, mishaps, { config, limits })

  async function close(): Promise<void> {
    const stopped = [stop(tcp), stop(http)]
    await core.close()
    webSocket.close()
    http.closeAllConnections()
    await Promise.all(stopped)
    mishaps.close()
  }
  try {
    const ports = await listenOnBoth(tcp, http, config)
    const addresses = {
      mqtt: `mqtt://${authority(config.host, ports.mqtt)}`,
      ws: `ws://${authority(config.ws.host, ports.ws)}${webSocketPath}`,
    }
    log.info(addresses, 'the broker listens')
    return { bus: core.bus, addresses, ports, http, close }
  } catch (error) {
    await close()
    throw error
  }
}

function serveWebSocket(
  http: HttpServer,
  core: Core,
  mishaps: Mishaps,
  { config, limits }: { readonly config: BrokerConfig; readonly limits: Limits },
) {
  return attachWebSocket(http, {
    path: webSocketPath,
    trust: { hosts: [...config.allowedHosts, config.ws.host], origins: config.allowedOrigins },
    maxBytes: limits.publishBytes + messageSlackBytes,
    accept: core.accept,
    refused: (reason) => mishaps.count('refusedConnections', reason),
  })
}

async function listenOnBoth(tcp: TcpServer, http: HttpServer, { host, port, ws }: BrokerConfig) {
  const mqtt = await listen(tcp, { host, port, setting: 'broker.port', flag: '--mqtt-port' })
  const web = await listen(http, { ...ws, setting: 'http.port', flag: '--http-port' })
  return { mqtt, ws: web }
}

/** Stops listening; settles when the last connection is closed. */
function stop(server: TcpServer | HttpServer): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

function authority(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
