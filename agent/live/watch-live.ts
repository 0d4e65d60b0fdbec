import type { WebSocket } from 'ws'
import type { LiveStream, VideoPacket } from '../core/video.ts'
import { liveViewer } from '../mux/live.ts'

/** How far a viewer may fall behind before it skips to the next key picture. */
export interface WatchLimits {
  readonly behindMs: number
  readonly queueBytes: number
  /** A viewer that does not answer within this time is gone; 10 s unless given. */
  readonly pingMs?: number
}

const GOING_AWAY = 1001
const PING_MS = 10_000

/**
 * Sends a stream to one viewer until either ends. What a slow viewer cannot take is skipped, up to the
 * next key picture after its buffer has emptied: it is never more than the limits behind.
 * @param left called once, when the viewer has left
 */
export function watchLive(
  socket: WebSocket,
  stream: LiveStream,
  limits: WatchLimits,
  left: () => void,
): void {
  const viewer = liveViewer(stream.format)
  /** When pictures that are not with the operating system yet were handed over. */
  const unsent: number[] = []
  let isSkipping = false

  function isBehind(): boolean {
    const now = performance.now()
    const [oldest = now] = unsent
    return now - oldest > limits.behindMs || socket.bufferedAmount > limits.queueBytes
  }
  function send(packet: VideoPacket): void {
    const messages = viewer.take(packet)
    if (messages.length === 0) return
    unsent.push(performance.now())
    const last = messages.length - 1
    for (const [index, message] of messages.entries()) {
      socket.send(message, index === last ? () => unsent.shift() : undefined)
    }
  }
  function take(packet: VideoPacket): void {
    if (isSkipping && unsent.length === 0) {
      isSkipping = false
      if (!packet.key) stream.key()
    }
    if (!isSkipping && isBehind()) {
      isSkipping = true
      viewer.skip()
    }
    if (!isSkipping) send(packet)
  }

  const unsubscribe = stream.subscribe(take, () => socket.close(GOING_AWAY, 'the stream ended'))
  const stopPings = pingRegularly(socket, limits.pingMs ?? PING_MS)
  // 'close' follows each error, and it is all that matters.
  socket.on('error', () => undefined)
  socket.once('close', () => {
    stopPings()
    unsubscribe()
    left()
  })
  stream.key()
}

/** Ends the connection when nothing came back since the last ping. */
function pingRegularly(socket: WebSocket, pingMs: number): () => void {
  let isAlive = true
  socket.on('pong', () => {
    isAlive = true
  })
  const timer = setInterval(() => {
    if (!isAlive) return socket.terminate()
    isAlive = false
    socket.ping()
  }, pingMs)
  return () => clearInterval(timer)
}
