import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Access, Caller } from '../access/access.ts'
import { admitRequest, denialHeaders } from '../access/request-access.ts'
import type { LiveStream } from '../core/video.ts'
import { distrustRequest, type Refusal, refuseUpgrade } from '../net/refuse-upgrade.ts'
import type { WebTrust } from '../net/web-trust.ts'
import { type WatchLimits, watchLive } from './watch-live.ts'

/** Bounds on viewers. */
export interface LiveLimits extends WatchLimits {
  /** Viewers of all streams together. */
  readonly viewers: number
}

/** What live video over WebSocket needs of its surroundings. */
export interface LiveParts {
  readonly trust: WebTrust
  readonly access: Access
  readonly limits: LiveLimits
  /** The stream of an input that can be watched now. */
  find(service: string, input: string): LiveStream | undefined
  /** Whether another listener of the same server answers upgrades to this path. */
  elsewhere(path: string): boolean
  /** Told of each request that was turned away. */
  refused(reason: string): void
}

/** Live video on somebody's HTTP server. */
export interface Live {
  /** How many watch, by `<service>/<input>`; who has no viewers is not there. */
  readonly viewers: ReadonlyMap<string, number>
  /** Ends what is open. */
  close(): void
}

const livePath = /^\/services\/([^/]+)\/live\/([^/]+)$/
/** Viewers have nothing to say. */
const MAX_RECEIVED_BYTES = 1024
const ROLE = 'viewer'
/** RFC 6455, 7.4.1. */
const POLICY_VIOLATION = 1008

/**
 * Answers WebSocket upgrades at `/services/<service>/live/<input>` with H.264 as fragmented MP4: for Media
 * Source Extensions, see `agent/mux/live.ts`. Paths that nobody answers are refused.
 */
export function attachLive(server: Server, parts: LiveParts): Live {
  const { limits } = parts
  const viewers = new Map<string, number>()
  const sockets = new WebSocketServer({
    noServer: true,
    // Video does not shrink.
    perMessageDeflate: false,
    maxPayload: MAX_RECEIVED_BYTES,
  })
  const count = (name: string, change: 1 | -1): void => {
    const now = (viewers.get(name) ?? 0) + change
    if (now > 0) viewers.set(name, now)
    else viewers.delete(name)
  }

  async function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const [path = ''] = (request.url ?? '').split('?')
    if (parts.elsewhere(path)) return
    // The other side may go while it is found out who it is.
    socket.on('error', () => undefined)
    const asked = await askedFor(request, path, parts)
    const found = sockets.clients.size < limits.viewers ? asked : full(limits.viewers)
    if ('status' in found) {
      parts.refused(found.reason)
      refuseUpgrade(socket, path, found)
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      count(found.name, 1)
      const release = parts.access.hold(found.caller, ROLE, () =>
        webSocket.close(POLICY_VIOLATION, 'the token is no longer good'),
      )
      watchLive(webSocket, found.stream, limits, () => {
        release()
        count(found.name, -1)
      })
    })
  }

  server.on('upgrade', onUpgrade)
  return {
    viewers,
    close() {
      server.off('upgrade', onUpgrade)
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
    },
  }
}

interface Asked {
  /** `<service>/<input>` */
  readonly name: string
  readonly stream: LiveStream
  readonly caller: Caller
}

async function askedFor(
  request: IncomingMessage,
  path: string,
  parts: LiveParts,
): Promise<Asked | Refusal> {
  const distrusted = distrustRequest(parts.trust, request)
  if (distrusted) return distrusted
  const caller = await admitRequest(parts.access, request, { role: ROLE, tokenInUrl: true })
  if ('status' in caller) return { ...caller, headers: denialHeaders(caller) }
  const [, service, input] = livePath.exec(path) ?? []
  if (service === undefined || input === undefined) {
    return { status: 404, reason: 'live video is at /services/<service>/live/<input>' }
  }
  const stream = parts.find(service, input)
  if (stream) return { name: `${service}/${input}`, stream, caller }
  return { status: 404, reason: `no live video of input '${input}' of service '${service}'` }
}

function full(viewers: number): Refusal {
  return { status: 503, reason: `${viewers} viewers watch already; that is the limit` }
}
