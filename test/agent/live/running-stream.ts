import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { openAccess } from '../../../agent/access/access.ts'
import type { LiveStream } from '../../../agent/core/video.ts'
import { VIDEO_CLOCK, type VideoFormat, type VideoPacket } from '../../../agent/core/video.ts'
import { attachLive, type LiveLimits, type LiveParts } from '../../../agent/live/attach-live.ts'

/** A stream that the test pushes packets into. */
export function runningStream(format: VideoFormat) {
  const takers = new Map<(packet: VideoPacket) => void, () => void>()
  const asked = { keys: 0 }
  const stream: LiveStream = {
    format,
    subscribe(take, ended) {
      takers.set(take, ended)
      return () => takers.delete(take)
    },
    key() {
      asked.keys += 1
    },
  }
  return {
    stream,
    asked,
    viewers: () => takers.size,
    push(packet: VideoPacket) {
      for (const take of takers.keys()) take(packet)
    },
    end() {
      for (const ended of takers.values()) ended()
    },
  }
}

/** An HTTP server with live video of input `gate` of service `door`. */
export async function liveServer(
  stream: LiveStream,
  limits: Partial<LiveLimits> = {},
  parts: Partial<LiveParts> & { onServer?: (server: Server) => void } = {},
) {
  const server = createServer((_request, response) => response.writeHead(404).end())
  const refused: string[] = []
  const live = attachLive(server, {
    trust: { hosts: [], origins: [] },
    access: openAccess,
    limits: { viewers: 32, queueBytes: 4 << 20, behindMs: 1000, ...limits },
    find: (service, input) => (service === 'door' && input === 'gate' ? stream : undefined),
    elsewhere: () => false,
    refused: (reason) => refused.push(reason),
    ...parts,
  })
  parts.onServer?.(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    live.close()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { server, live, refused, port, url: `ws://127.0.0.1:${port}/services/door/live/gate` }
}

/** Pushes packets at their pace, again and again, until the signal. */
export async function atTheirPace(
  packets: Iterable<VideoPacket>,
  push: (packet: VideoPacket) => void,
  signal: AbortSignal,
): Promise<void> {
  const began = performance.now()
  for (const packet of packets) {
    const due = began + (packet.pts * 1000) / VIDEO_CLOCK
    await new Promise((resolve) => setTimeout(resolve, due - performance.now()))
    if (signal.aborted) return
    push(packet)
  }
}
