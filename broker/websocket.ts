import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { distrustRequest, type Refusal, refuseUpgrade } from '../agent/net/refuse-upgrade.ts'
import type { WebTrust } from '../agent/net/web-trust.ts'
import type { Transport } from './transport.ts'
import { webSocketTransport } from './websocket-transport.ts'

/** How MQTT over WebSocket is offered on somebody's HTTP server. */
export interface WebSocketOptions {
  readonly path: string
  readonly trust: WebTrust
  /** Largest message; one may hold several packets. */
  readonly maxBytes: number
  accept(transport: Transport, request: IncomingMessage): void
  /** Told of each request that was turned away. */
  refused(reason: string): void
}

const SUBPROTOCOL = 'mqtt'

/**
 * Answers WebSocket upgrades on `server`; the rest of the server is left alone. Requests for other
 * paths are refused unless somebody else listens for upgrades too. `close` ends what is open.
 */
export function attachWebSocket(server: Server, options: WebSocketOptions): { close(): void } {
  const sockets = new WebSocketServer({
    noServer: true,
    // 287 KB a client, and events are small.
    perMessageDeflate: false,
    maxPayload: options.maxBytes,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  })

  function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const [path = ''] = (request.url ?? '').split('?')
    if (path !== options.path && server.listenerCount('upgrade') > 1) return
    const refusal = refusalOf(request, path, options)
    if (refusal) {
      options.refused(refusal.reason)
      refuseUpgrade(socket, path, refusal)
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      options.accept(webSocketTransport(webSocket), request)
    })
  }

  server.on('upgrade', onUpgrade)
  return {
    close() {
      server.off('upgrade', onUpgrade)
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
    },
  }
}

function refusalOf(
  request: IncomingMessage,
  path: string | undefined,
  options: WebSocketOptions,
): Refusal | undefined {
  if (path !== options.path) {
    return { status: 404, reason: `MQTT over WebSocket is at ${options.path}` }
  }
  const distrusted = distrustRequest(options.trust, request)
  if (distrusted) return distrusted
  const { 'sec-websocket-protocol': offered = '' } = request.headers
  const protocols = offered.split(',').map((protocol) => protocol.trim())
  if (protocols.includes(SUBPROTOCOL)) return
  return { status: 400, reason: `ask for the WebSocket subprotocol '${SUBPROTOCOL}'` }
}
