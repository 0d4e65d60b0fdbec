import type { RawData, WebSocket } from 'ws'
import { joinSmall, type Transport } from './transport.ts'

const NORMAL = 1000
const GOING_AWAY = 1001
const UNSUPPORTED_DATA = 1003

/** A WebSocket whose binary messages carry the bytes of MQTT (MQTT 3.1.1, chapter 6). */
export function webSocketTransport(socket: WebSocket): Transport {
  socket.binaryType = 'nodebuffer'
  return {
    kind: 'websocket',
    listen(receiver) {
      socket.on('message', (message, binary) => {
        if (binary) receiver.data(asBuffer(message))
        else socket.close(UNSUPPORTED_DATA, 'MQTT travels in binary messages')
      })
      // 'close' follows each error, and it is all that matters.
      socket.on('error', () => undefined)
      socket.once('close', () => receiver.closed())
    },
    send(chunks, sent) {
      if (socket.readyState !== socket.OPEN) return sent()
      const messages = joinSmall(chunks)
      for (const [index, message] of messages.entries()) {
        socket.send(message, index === messages.length - 1 ? () => sent() : undefined)
      }
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: () => socket.close(GOING_AWAY),
    destroy() {
      // The other side may be gone or stuck: the close frame is a courtesy, not a wait.
      if (socket.readyState === socket.OPEN) socket.close(NORMAL)
      socket.terminate()
    },
  }
}

function asBuffer(message: RawData): Buffer {
  if (Buffer.isBuffer(message)) return message
  return Array.isArray(message) ? Buffer.concat(message) : Buffer.from(message)
}
