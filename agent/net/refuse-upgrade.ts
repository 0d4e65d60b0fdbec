import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** Why a request for a WebSocket is turned away. */
export interface Refusal {
  readonly status: 400 | 403 | 404 | 503
  readonly reason: string
}

/** Answers a request for a WebSocket with an error, and ends its connection. */
export function refuseUpgrade(socket: Duplex, { status, reason }: Refusal): void {
  // The other side may be gone already.
  socket.on('error', () => undefined)
  const body = `${reason}\n`
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
