import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { browse } from '../../interop/browse.ts'
import { needs } from '../../interop/needs.ts'
import { hasFfmpeg, madeVideo } from '../mux/made-video.ts'
import { type Played, playerPage } from './player.ts'
import { atTheirPace, liveServer, runningStream } from './running-stream.ts'

const installed = hasFfmpeg && needs('chromium', 'chromium')

/** Serves the page, and gives what it reports. */
function pageOn(server: Server, page: string): Promise<Played> {
  server.removeAllListeners('request')
  return new Promise((resolve) => {
    server.on('request', async (request: IncomingMessage, response: ServerResponse) => {
      response.setHeader('Content-Type', 'text/html; charset=utf-8')
      if (request.url !== '/report') {
        response.end(page)
        return
      }
      let body = ''
      for await (const chunk of request) body += chunk
      response.end()
      resolve(JSON.parse(body) as Played)
    })
  })
}

describe.skipIf(!installed)('a browser', () => {
  it.each([
    ['an even stream', (index: number) => index * 3000],
    [
      'late pictures and pauses',
      (index: number) => index * 3000 + (index % 3) * 2500 + Math.floor(index / 25) * 40_000,
    ],
  ])(
    'plays %s without losing pictures',
    async (_, time) => {
      // One key picture only: were one picture refused, all that follow would be.
      const { format, packets } = await madeVideo({
        seconds: 12,
        keyEvery: 1000,
        width: 640,
        height: 360,
      })
      const running = runningStream(format)
      const { server, port } = await liveServer(running.stream)
      const reported = pageOn(server, playerPage(2.5))
      await browse(`http://127.0.0.1:${port}/`)
      await expect.poll(running.viewers, { timeout: 30_000 }).toBe(1)
      const stop = new AbortController()
      onTestFinished(() => stop.abort())
      let pushed = 0
      const timed = packets.map((packet, index) => ({ ...packet, pts: time(index) }))
      const pushing = atTheirPace(
        timed,
        (packet) => {
          pushed += 1
          running.push(packet)
        },
        stop.signal,
      )
      const played = await reported
      const due = pushed
      stop.abort()
      await pushing
      expect(played.problem).toBeUndefined()
      expect(played).toMatchObject({
        width: 640,
        height: 360,
        codec: expect.stringMatching(/^avc1\./),
      })
      expect(played.currentTime).toBeGreaterThanOrEqual(2.5)
      expect(played.buffered).toHaveLength(1)
      expect(played.buffered[0]?.[0]).toBe(0)
      // Half a second may be on its way.
      expect(due).toBeGreaterThan(30)
      expect(played.frames).toBeGreaterThan(due - 20)
    },
    90_000,
  )
})
