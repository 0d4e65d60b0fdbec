import type { Socket } from 'node:net'
import { joinSmall, type Transport } from './transport.ts'

/** A TCP socket as a transport. */
export function tcpTransport(socket: Socket): Transport {
  return {
    kind: 'tcp',
    listen(receiver) {
      socket.on('data', (bytes) => receiver.data(bytes))
      // 'close' follows each error, and it is all that matters.
      socket.on('error', () => undefined)
      socket.once('close', () => receiver.closed())
    },
    send(chunks, sent) {
      if (socket.destroyed) return sent()
      const last = chunks.length > 1 ? joinSmall(chunks) : chunks
      socket.cork()
      for (const [index, chunk] of last.entries()) {
        if (index === last.length - 1) socket.write(chunk, () => sent())
        else socket.write(chunk)
      }
      socket.uncork()
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: () => socket.end(),
    destroy: () => socket.destroy(),
  }
}
