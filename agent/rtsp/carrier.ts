import type { Socket as DatagramSocket } from 'node:dgram'
import type { Socket } from 'node:net'
import type { RtpBurst } from './packetizer.ts'

/** Brings packets to one viewer. */
export interface Carrier {
  readonly kind: 'tcp' | 'udp'
  /** Queues an access unit, unless too much waits already: then it is dropped and false comes back. */
  send(burst: RtpBurst): boolean
  /** Sends RTCP, after all that waits. */
  report(rtcp: Buffer): void
  close(): void
}

/** What waits, and who is told when nothing does any more. */
interface Queue {
  readonly maxBytes: number
  /** Called after a refused `send`, as soon as the queue is empty. */
  readonly emptied: () => void
}

/** Packets between the answers on a connection (RFC 2326, section 10.12): RTP on `channel`, RTCP on the next. */
export function tcpCarrier(socket: Socket, channel: number, queue: Queue): Carrier {
  function drained(): void {
    queue.emptied()
  }
  return {
    kind: 'tcp',
    send(burst) {
      if (socket.writableLength > queue.maxBytes) {
        socket.off('drain', drained)
        socket.once('drain', drained)
        return false
      }
      if (!socket.destroyed) socket.write(onChannel(burst, channel))
      return true
    },
    report(rtcp) {
      const framing = Buffer.from([0x24, channel + 1, 0, 0])
      framing.writeUInt16BE(rtcp.length, 2)
      if (!socket.destroyed) socket.write(Buffer.concat([framing, rtcp]))
    },
    close: () => void socket.off('drain', drained),
  }
}

/** Nearly everyone takes channel 0, and gets the shared bytes. */
function onChannel({ interleaved, packets }: RtpBurst, channel: number): Buffer {
  if (channel === 0) return interleaved
  const own = Buffer.from(interleaved)
  let at = 0
  for (const packet of packets) {
    own.writeUInt8(channel, at + 1)
    at += 4 + packet.length
  }
  return own
}

/** Where datagrams go. */
export interface DatagramRoute {
  readonly rtp: DatagramSocket
  readonly rtcp: DatagramSocket
  readonly address: string
  readonly rtpPort: number
  readonly rtcpPort: number
}

/**
 * Datagrams that leave at once fit any receive buffer; the rest of a large picture follows at about
 * 180 Mbit/s, or a burst of it overflows the buffer while the viewer's thread sleeps.
 */
const datagramsAtOnce = 16
const betweenMs = 1

/** Datagrams to the ports that a viewer named, at the address that it connected from. */
export function udpCarrier(route: DatagramRoute, queue: Queue): Carrier {
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let refused = false
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    timer = undefined
    for (const packet of waiting.splice(0, datagramsAtOnce)) {
      waitingBytes -= packet.length
      route.rtp.send(packet, route.rtpPort, route.address)
    }
    if (waiting.length > 0) timer = setTimeout(flush, betweenMs)
    else if (refused) {
      refused = false
      queue.emptied()
    }
  }
  return {
    kind: 'udp',
    send({ packets, octets }) {
      if (waitingBytes > queue.maxBytes) {
        refused = true
        return false
      }
      waiting = waiting.length === 0 ? [...packets] : waiting.concat(packets)
      waitingBytes += packets.reduce((sum, packet) => sum + packet.length, 0)
      if (!timer && octets > 0) flush()
      return true
    },
    report: (rtcp) => route.rtcp.send(rtcp, route.rtcpPort, route.address),
    close() {
      clearTimeout(timer)
      waiting = []
    },
  }
}
