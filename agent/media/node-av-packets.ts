import type { FormatContext, Packet } from 'node-av/lib'
import type { NodeAv } from './node-av-library.ts'

/** The packets of one video, in the order of its container. */
export interface PacketReader {
  /** The next packet, for the caller to unref before it asks again; or FFmpeg's code, when there is none. */
  next(): Promise<Packet | number>
  /** Goes back to the first packet. @returns whether that is the next one now, and not another one, or none */
  restart(): Promise<boolean>
  close(): void
}

/** Packets of a file that are read at a time: handing a thread its first task costs ten times what the next ones do. */
export const AHEAD = 32

/** Bytes of packets read ahead past which no more are. */
const AHEAD_BYTES = 1 << 20

/**
 * Reads the packets of the stream `index` of `format`, without those that `wanted` refuses.
 * @param ahead whether more may be read than is asked for: a file is there, a camera's next packet is not
 */
export function packetReader(
  av: NodeAv,
  format: FormatContext,
  wanted: (packet: Packet) => boolean,
  { ahead, signal }: { readonly ahead: boolean; readonly signal: AbortSignal },
): PacketReader {
  const { AVERROR_EAGAIN, AVERROR_EXIT, AVSEEK_FLAG_BACKWARD } = av.constants
  const packets = Array.from({ length: ahead ? AHEAD : 1 }, () => emptyPacket(av))
  let read: Packet[] = []
  let end: number | undefined
  let first: Place | undefined

  /** Into `packet`; FFmpeg's code, below 0 at the end. */
  async function readInto(packet: Packet): Promise<number> {
    while (!signal.aborted) {
      const code = await format.readFrame(packet)
      if (code === AVERROR_EAGAIN) continue
      if (code < 0 || wanted(packet)) return code
      packet.unref()
    }
    return AVERROR_EXIT
  }

  async function fill(): Promise<void> {
    let bytes = 0
    for (const packet of packets) {
      const code = await readInto(packet)
      if (code < 0) {
        end = code
        return
      }
      first ??= placeOf(packet)
      read.push(packet)
      bytes += packet.size
      if (bytes > AHEAD_BYTES) return
    }
  }

  return {
    async next() {
      if (read.length === 0 && end === undefined) await fill()
      const packet = read.shift()
      if (packet) return packet
      const code = end ?? AVERROR_EXIT
      end = undefined
      return code
    },
    async restart() {
      for (const packet of read.splice(0)) packet.unref()
      end = undefined
      if (!first) return false
      const code = await format.seekFrame(first.stream, first.dts, AVSEEK_FLAG_BACKWARD)
      if (code < 0) return false
      await fill()
      const [packet] = read
      return packet !== undefined && samePlace(placeOf(packet), first)
    },
    close() {
      read = []
      for (const packet of packets) packet.free()
    },
  }
}

/** Which packet of a container it is. */
interface Place {
  readonly stream: number
  readonly pts: bigint
  readonly dts: bigint
  readonly position: bigint
  readonly size: number
}

function placeOf({ streamIndex: stream, pts, dts, pos: position, size }: Packet): Place {
  return { stream, pts, dts, position, size }
}

function samePlace(a: Place, b: Place): boolean {
  const sameTimes = a.pts === b.pts && a.dts === b.dts
  return sameTimes && a.stream === b.stream && a.position === b.position && a.size === b.size
}

function emptyPacket(av: NodeAv): Packet {
  const packet = new av.Packet()
  packet.alloc()
  return packet
}
