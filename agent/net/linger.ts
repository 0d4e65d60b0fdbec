import type { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'

/** How long a client that was answered before it had said everything may take to notice. */
const LINGER_MS = 1000
/** How much of what it says meanwhile is read and dropped. */
const LINGER_BYTES = 8 << 20
const WATCH_MS = 10

/**
 * Bounds what is still read of a request that was answered early. What a closed socket has not read becomes a reset,
 * which may overtake the answer, so the rest is read and dropped for a while (RFC 9112, 9.6); of what may
 * come in that time, which is gigabytes, a little.
 */
export function lingerAfter(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request
  // Node calls it for the last answer of a connection.
  socket.destroySoon = function destroySoon(): void {
    if (request.complete) Socket.prototype.destroySoon.call(this)
    else this.end()
  }
  response.once('finish', () => {
    if (request.complete) return
    const until = socket.bytesRead + LINGER_BYTES
    request.resume()
    const timer = setTimeout(() => request.complete || socket.destroy(), LINGER_MS).unref()
    // Node drops a body that nobody has read without a word.
    const watch = setInterval(() => socket.bytesRead > until && socket.pause(), WATCH_MS).unref()
    socket.once('close', () => {
      clearTimeout(timer)
      clearInterval(watch)
    })
    request.once('end', () => socket.writableEnded && socket.destroy())
  })
}

/** Says a last thing on a connection and ends it, whatever the client still sends. */
export function sayAndClose(socket: Socket, text: string): void {
  socket.on('error', () => undefined)
  socket.end(text)
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref()
  socket.once('close', () => clearTimeout(timer))
}
