import { createServer, isIPv6, type Server } from 'node:net'
import type { Log } from '../core/log.ts'
import type { StreamOffer, VideoPacket } from '../core/video.ts'
import { listen } from '../net/listen.ts'
import { arrivals } from './arrivals.ts'
import type { User } from './auth.ts'
import { type Connection, serveConnection } from './connection.ts'
import type { Hall } from './hall.ts'
import { defaultRtspLimits, type RtspLimits } from './limits.ts'
import { mishapsOf } from './mishaps.ts'
import type { Session } from './session.ts'
import { type OfferedStream, offeredStream } from './stream.ts'
import { openUdpPorts, type UdpPorts } from './udp-ports.ts'

/** Where the server listens, and whom it serves. */
export interface RtspConfig {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Nobody: everyone may watch. */
  readonly users: readonly User[]
  /** Viewers at once. */
  readonly clients: number
  /** Bytes that wait for one viewer before it skips to the next key picture. */
  readonly queueBytes: number
}

/** The server's side of a stream that was offered. */
export interface RtspStream {
  /** Sends a packet to who watches; without viewers it goes nowhere. */
  write(packet: VideoPacket): void
  /** Viewers that play. */
  readonly viewers: number
  /** Ends the stream for its viewers, politely. */
  close(): void
}

/** A running server. */
export interface RtspServer {
  readonly port: number
  /** Offers a stream. One that has the same path ends. */
  offer(offer: StreamOffer): RtspStream
  /** Who tells whether a stream that is not offered will be, soon. */
  expect(isComing: (path: string) => boolean): void
  /** Says goodbye to everyone and frees the ports. */
  close(): Promise<void>
}

/** What a server is made of; `limits` are `defaultRtspLimits` unless given. */
export interface RtspParts {
  readonly config: RtspConfig
  readonly log: Log
  readonly limits?: RtspLimits
}

/**
 * Starts the RTSP server (RFC 2326): H.264 over RTP, by TCP and by UDP.
 * @throws AgentError CONFIG_INVALID: the port is taken, or the host is not this machine's.
 */
export async function startRtspServer(parts: RtspParts): Promise<RtspServer> {
  const { config, log, limits = defaultRtspLimits } = parts
  const streams = new Map<string, OfferedStream>()
  const sessions = new Map<string, Session>()
  const connections = new Set<Connection>()
  const mishaps = mishapsOf(log)
  const udp = udpPorts(boundHost, (error) => mishaps.count('unsentDatagrams', error.message))
  const { users, clients, queueBytes } = config
  const hall: Hall = {
    ...{ users, limits, clients, queueBytes, streams, sessions, log },
    ...{ tally: mishaps, udp: udp.open, arrivals: arrivals() },
    isComing: (path) => isComing(path),
  }
  let isComing = (_path: string): boolean => false

  function boundHost(): string {
    const address = server.address()
    return typeof address === 'object' && address ? address.address : config.host
  }
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    const connection = serveConnection(socket, hall, () => connections.delete(connection))
    connections.add(connection)
  })
  server.maxConnections = clients + limits.spareConnections
  server.on('drop', (drop) => mishaps.count('refusedConnections', drop?.remoteAddress ?? 'unknown'))

  function sweep(): void {
    const now = performance.now()
    for (const connection of connections) if (connection.expired(now)) connection.close()
    for (const session of [...sessions.values()]) {
      if (!session.expired(now)) continue
      mishaps.count('lostViewers', `${session.address} ${session.stream.path}`)
      session.end(true)
    }
  }

  const { host } = config
  const place = { host, port: config.port, setting: 'rtsp.port', flag: '--rtsp-port' }
  const port = await listen(server, place)
  const timer = setInterval(sweep, limits.sweepMs).unref()
  log.info({ host, port }, 'the RTSP server listens')
  return {
    port,
    offer: (offer) => addStream(hall, streams, offer),
    expect(tell) {
      isComing = tell
    },
    async close() {
      clearInterval(timer)
      hall.arrivals.giveUp()
      const stopped = stop(server)
      for (const stream of streams.values()) stream.close()
      for (const session of [...sessions.values()]) session.end(true)
      for (const connection of connections) connection.close()
      await stopped
      await udp.close()
      mishaps.close()
    },
  }
}

function addStream(
  { limits, sessions, arrivals }: Hall,
  streams: Map<string, OfferedStream>,
  offer: StreamOffer,
): RtspStream {
  const stream = offeredStream(offer, limits)
  const before = streams.get(offer.path)
  streams.set(offer.path, stream)
  if (before) endOf(before, sessions)
  arrivals.arrived(stream)
  return {
    write: (packet) => stream.write(packet),
    get viewers() {
      return stream.viewers
    },
    close() {
      if (streams.get(offer.path) === stream) streams.delete(offer.path)
      endOf(stream, sessions)
    },
  }
}

/** Ends a stream for those who play it, and for those who are about to. */
function endOf(stream: OfferedStream, sessions: ReadonlyMap<string, Session>): void {
  stream.close()
  for (const session of [...sessions.values()]) if (session.stream === stream) session.end(true)
}

/** The UDP ports of a server, by address family; opened on first use. */
function udpPorts(host: () => string, failed: (error: Error) => void) {
  const opened = new Map<4 | 6, Promise<UdpPorts>>()
  return {
    open(family: 4 | 6): Promise<UdpPorts> {
      const before = opened.get(family)
      if (before) return before
      const ports = openUdpPorts(family, hostOf(host(), family), failed)
      opened.set(family, ports)
      ports.catch(() => opened.delete(family))
      return ports
    },
    async close() {
      const all = await Promise.allSettled(opened.values())
      for (const one of all) if (one.status === 'fulfilled') one.value.close()
    },
  }
}

/** Where datagrams leave from: the server's own address, or any where it listens on both families. */
function hostOf(host: string, family: 4 | 6): string {
  if (isIPv6(host) === (family === 6)) return host
  return family === 6 ? '::' : '0.0.0.0'
}

/** Stops listening; settles when the last connection is closed. */
function stop(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
