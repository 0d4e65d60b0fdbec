import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { problemAnswer, type WebProblem } from './web-problem.ts'
import { distrust, type WebTrust } from './web-trust.ts'

/** Why a request for a WebSocket is turned away. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 429 | 503
  readonly reason: string
  readonly headers?: Readonly<Record<string, string>>
}

const codes: Readonly<Record<Refusal['status'], WebProblem['code']>> = {
  400: 'MESSAGE_INVALID',
  401: 'NOT_AUTHORIZED',
  403: 'NOT_AUTHORIZED',
  404: 'NOT_FOUND',
  429: 'LIMIT_EXCEEDED',
  503: 'LIMIT_EXCEEDED',
}

/** Answers a request for a WebSocket at `path` with a problem, and ends its connection. */
export function refuseUpgrade(socket: Duplex, path: string, refusal: Refusal): void {
  // The other side may be gone already.
  socket.on('error', () => undefined)
  const { status, reason, headers = {} } = refusal
  const retryable = status === 429 || status === 503
  const problem = { status, code: codes[status], detail: reason, retryable, headers }
  socket.end(problemAnswer(problem, path))
}

/** Why a request for a WebSocket is not trusted, if so. Two hosts are none. */
export function distrustRequest(trust: WebTrust, request: IncomingMessage): Refusal | undefined {
  const { headers, headersDistinct, socket } = request
  const { host, origin } = headers
  const hosts = headersDistinct.host?.length ?? 0
  if (hosts > 1) return { status: 400, reason: "the header field 'host' comes more than once" }
  const reason = distrust(trust, { host, origin, address: socket.localAddress })
  return reason === undefined ? undefined : { status: 403, reason }
}
