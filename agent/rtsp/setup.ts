import { type Carrier, tcpCarrier, udpCarrier } from './carrier.ts'
import type { Hall } from './hall.ts'
import type { Peer } from './peer.ts'
import { Session } from './session.ts'
import type { OfferedStream } from './stream.ts'
import type { Wish } from './transport-header.ts'

/** A session, and the value of the Transport header that says how it is served. */
export interface SetUp {
  readonly session: Session
  readonly transport: string
}

/** Sets a session up; undefined where the channels are taken, or the stream has just ended. @throws AgentError LIMIT_EXCEEDED: no UDP ports. */
export async function setUp(
  hall: Hall,
  peer: Peer,
  stream: OfferedStream,
  wish: Wish,
): Promise<SetUp | undefined> {
  const way = wish.kind === 'tcp' ? overTcp(hall, peer, wish) : await overUdp(hall, peer, wish)
  if (!way) return
  // Opening the ports took a moment.
  if (hall.streams.get(stream.path) !== stream || peer.socket.destroyed) {
    way.release()
    return
  }
  const session = new Session({
    address: peer.address,
    stream,
    limits: hall.limits,
    carrier: way.carrier,
    lagging: () => hall.tally.count('laggingViewers', `${peer.address} ${stream.path}`),
    ended(self, polite) {
      if (polite) peer.bidden.add(self.id)
      way.release()
      hall.sessions.delete(self.id)
      peer.sessions.delete(self)
      if (!self.played) return
      hall.log.info({ viewer: peer.address, path: stream.path }, 'a viewer left')
    },
  })
  way.use?.(session)
  hall.sessions.set(session.id, session)
  peer.sessions.add(session)
  const ssrc = stream.ssrc.toString(16).padStart(8, '0').toUpperCase()
  return { session, transport: `${way.transport};ssrc=${ssrc};mode="PLAY"` }
}

interface Way {
  readonly transport: string
  carrier(emptied: () => void): Carrier
  use?(session: Session): void
  release(): void
}

function overTcp(
  { queueBytes }: Hall,
  { socket, channels }: Peer,
  { channel: wanted }: Extract<Wish, { kind: 'tcp' }>,
): Way | undefined {
  const channel = wanted ?? firstFree(channels)
  const taken = [channel - 1, channel, channel + 1].some((near) => channels.has(near))
  if (taken || channel > 254) return
  channels.add(channel)
  return {
    transport: `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}`,
    carrier: (emptied) => tcpCarrier(socket, channel, { maxBytes: queueBytes, emptied }),
    release: () => void channels.delete(channel),
  }
}

async function overUdp(
  { udp, queueBytes }: Hall,
  { address, family }: Peer,
  { rtpPort, rtcpPort }: Extract<Wish, { kind: 'udp' }>,
): Promise<Way> {
  const ports = await udp(family)
  const { rtp, rtcp } = ports
  let forget = (): void => undefined
  const own = `server_port=${ports.rtpPort}-${ports.rtpPort + 1}`
  return {
    transport: `RTP/AVP;unicast;client_port=${rtpPort}-${rtcpPort};${own}`,
    carrier: (emptied) =>
      udpCarrier({ rtp, rtcp, address, rtpPort, rtcpPort }, { maxBytes: queueBytes, emptied }),
    use(session) {
      forget = ports.onReport(address, rtcpPort, () => session.alive())
    },
    release: () => forget(),
  }
}

function firstFree(channels: ReadonlySet<number>): number {
  let channel = 0
  while (channels.has(channel) || channels.has(channel + 1)) channel += 2
  return channel
}
