import { onTestFinished } from 'vitest'
import type { VideoFormat } from '../../../agent/core/video.ts'
import { defaultRtspLimits, type RtspLimits } from '../../../agent/rtsp/limits.ts'
import {
  type RtspConfig,
  type RtspServer,
  type RtspStream,
  startRtspServer,
} from '../../../agent/rtsp/server.ts'
import { type Inbox, inbox, type LogLine, recorder } from '../../broker/harness.ts'
import { type Film, format, madePacket } from './material.ts'

export const path = '/hall/video/gate'

export interface TestServer extends RtspServer {
  readonly lines: Inbox<LogLine>
  /** The URL of `path`. */
  readonly url: string
}

/** A server on a free port that ends with the test. */
export async function testServer(
  config: Partial<RtspConfig> = {},
  limits: Partial<RtspLimits> = {},
): Promise<TestServer> {
  const lines = inbox<LogLine>()
  const whole = {
    ...{ host: '127.0.0.1', port: 0, users: [], clients: 32, queueBytes: 4 * 1024 * 1024 },
    ...config,
  }
  const server = await startRtspServer({
    config: whole,
    log: recorder(lines),
    limits: { ...defaultRtspLimits, sweepMs: 20, ...limits },
  })
  onTestFinished(() => server.close())
  const host = whole.host.includes(':') ? `[${whole.host}]` : whole.host
  return { ...server, lines, url: `rtsp://${host}:${server.port}${path}` }
}

export interface TestStream extends RtspStream {
  /** What the server said to it, in order: `on`, `off`, `key`, or the number of viewers. */
  readonly said: Inbox<string | number>
}

/** A stream whose packets the test writes. */
export function testStream(
  server: RtspServer,
  { at = path, as = format }: { at?: string; as?: VideoFormat } = {},
): TestStream {
  const said = inbox<string | number>()
  const stream = server.offer({
    path: at,
    format: as,
    wanted: (on) => said.add(on ? 'on' : 'off'),
    key: () => said.add('key'),
    viewersChanged: (count) => said.add(count),
  })
  return {
    said,
    write: stream.write,
    close: stream.close,
    get viewers() {
      return stream.viewers
    },
  }
}

/** A stream that answers each request for a key picture with the next made one. */
export function eagerStream(server: RtspServer, at = path): RtspStream {
  let index = 0
  const stream: RtspStream = server.offer({
    path: at,
    format,
    wanted: () => undefined,
    // Not at once: a request may come while the server is busy with the viewer that it is for.
    key: () => setImmediate(() => stream.write(madePacket(index++, { key: true }))),
    viewersChanged: () => undefined,
  })
  return stream
}

/** Shows a film over and over while it is wanted, as an encoder does: who needs a key picture gets one next. */
export function showFilm(server: RtspServer, reel: Film, at = path): RtspStream {
  let index = 0
  let needsKey = false
  let timer: NodeJS.Timeout | undefined
  function next(): void {
    if (needsKey) index += (reel.interval - (index % reel.interval)) % reel.interval
    needsKey = false
    const packet = reel.packets[index % reel.packets.length]
    if (packet) stream.write({ ...packet, pts: index * (90_000 / reel.format.fps) })
    index += 1
  }
  const stream = server.offer({
    path: at,
    format: reel.format,
    wanted(on) {
      clearInterval(timer)
      if (on) timer = setInterval(next, 1000 / reel.format.fps)
    },
    key() {
      needsKey = true
    },
    viewersChanged: () => undefined,
  })
  onTestFinished(() => clearInterval(timer))
  return stream
}
