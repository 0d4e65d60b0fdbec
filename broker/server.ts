import { createServer, type Server } from 'node:net'
import type { Bus } from '../agent/core/bus.ts'
import type { Log } from '../agent/core/log.ts'
import { listen } from '../agent/net/listen.ts'
import type { WebServer } from '../agent/net/web-server.ts'
import type { AddressBook } from '../schemas/address.ts'
import { startCore } from './core.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { type Mishap, mishapsOf } from './mishaps.ts'
import { tcpTransport } from './tcp-transport.ts'
import { attachWebSocket } from './websocket.ts'

/** Where the broker listens. */
export interface BrokerConfig {
  /** Address for MQTT over TCP. */
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
}

/** What a broker is made of; `limits` are `defaultLimits` unless given. */
export interface BrokerParts {
  readonly config: BrokerConfig
  readonly book: AddressBook
  readonly log: Log
  /** Carries MQTT over WebSocket; it is somebody else's to close. */
  readonly web: WebServer
  readonly limits?: Limits
}

/** A running broker. */
export interface Broker {
  readonly bus: Bus
  readonly addresses: { readonly mqtt: string; readonly ws: string }
  readonly port: number
  /** Clients connected now. */
  readonly clients: number
  /** How often each has happened since the start. */
  readonly mishaps: Readonly<Partial<Record<Mishap, number>>>
  /** Sends what is on its way, disconnects everyone and frees the port, within a second. */
  close(): Promise<void>
}

/** Where the web server answers MQTT over WebSocket. */
export const webSocketPath = '/mqtt'
/** Small packets must not wait for an acknowledgement; the dead are noticed without MQTT's own keepalive. */
const sockets = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }
/** One message of a WebSocket may hold the end of one packet and the beginning of the next. */
const messageSlackBytes = 64 * 1024

/**
 * Starts the embedded broker: MQTT 3.1.1 over TCP and WebSocket, everything in memory.
 * @throws AgentError CONFIG_INVALID: the port is taken (see `portTaken`), or the address is not this machine's.
 */
export async function startBroker(parts: BrokerParts): Promise<Broker> {
  const { config, log, web, limits = defaultLimits } = parts
  const mishaps = mishapsOf(log)
  const core = await startCore({ ...parts, limits, tally: mishaps })
  const tcp = createServer(sockets, (socket) => core.accept(tcpTransport(socket)))
  const webSocket = attachWebSocket(web.server, {
    path: webSocketPath,
    trust: web.trust,
    maxBytes: limits.publishBytes + messageSlackBytes,
    accept: core.accept,
    refused: (reason) => mishaps.count('refusedConnections', reason),
  })

  async function close(): Promise<void> {
    const stopped = stop(tcp)
    await core.close()
    webSocket.close()
    await stopped
    mishaps.close()
  }
  try {
    const place = { ...config, setting: 'broker.port', flag: '--mqtt-port' }
    const port = await listen(tcp, place)
    const host = config.host.includes(':') ? `[${config.host}]` : config.host
    const addresses = {
      mqtt: `mqtt://${host}:${port}`,
      ws: `${web.origin.replace(/^http/, 'ws')}${webSocketPath}`,
    }
    log.info(addresses, 'the broker listens')
    return {
      ...{ bus: core.bus, addresses, port, close, mishaps: mishaps.totals },
      get clients() {
        return core.clients
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Stops listening; settles when the last connection is closed. */
function stop(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
