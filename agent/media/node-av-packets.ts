import type { FormatContext, Packet } from 'node-av/lib'
import { PREFETCH_BYTES, type Prefetch } from './node-av-io.ts'
import type { NodeAv } from './node-av-library.ts'

/** The packets of one video, in the order of its container. */
export interface PacketReader {
  /** The next packet, for the caller to unref before it asks again; or FFmpeg's code, when there is none. */
  next(): Promise<Packet | number>
  /** Goes back to the first packet. @returns whether that is the next one now, and not another one, or none */
  restart(): Promise<boolean>
  close(): void
}

/** How packets are read. */
export interface PacketReading {
  /** Whether more may be read than is asked for: a file is there, a camera's next packet is not. */
  readonly ahead: boolean
  /** For files. */
  readonly prefetch?: Prefetch | undefined
  readonly signal: AbortSignal
}

/** Packets of a file that are read at a time: handing a thread its first task costs ten times what the next ones do. */
export const AHEAD = 32

/** Bytes of packets read ahead past which no more are. */
const AHEAD_BYTES = 1 << 20

/** Reads the packets of `format`, without those that `wanted` refuses. */
export function packetReader(
  av: NodeAv,
  format: FormatContext,
  wanted: (packet: Packet) => boolean,
  { ahead, prefetch, signal }: PacketReading,
): PacketReader {
  const { AVERROR_EAGAIN, AVERROR_EXIT, AVSEEK_FLAG_BACKWARD } = av.constants
  const packets = Array.from({ length: ahead ? AHEAD : 1 }, () => emptyPacket(av))
  let read: Packet[] = []
  let end: number | undefined
  let first: Place | undefined
  let readNext = nextFrame(format, prefetch)

  /** Into `packet`; FFmpeg's code, below 0 at the end. */
  async function readInto(packet: Packet): Promise<number> {
    while (!signal.aborted) {
      const code = await readNext(packet)
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
      readNext = nextFrame(format, prefetch)
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

/**
 * Reads packet after packet. What was prefetched is read on this thread: a packet's way to another thread and back
 * takes five times what reading it does. A disk that does not answer keeps a thread of libuv waiting, not this one, unless
 * the container keeps elsewhere what belongs to the next packet.
 */
function nextFrame(
  format: FormatContext,
  prefetch: Prefetch | undefined,
): (packet: Packet) => number | Promise<number> {
  let position: number | undefined
  let atHand = 0
  let largest = 0

  function placed(code: number, { pos, size }: Packet): number {
    position = code >= 0 && pos >= 0n ? Number(pos) + size : undefined
    largest = Math.max(largest, size)
    return code
  }

  const isAtHand = (): boolean => position !== undefined && position + largest <= atHand
  const here = (packet: Packet): number => placed(format.readFrameSync(packet), packet)

  async function elsewhere(packet: Packet): Promise<number> {
    const worthIt = prefetch && largest < PREFETCH_BYTES / 2
    if (worthIt && position !== undefined) atHand = await prefetch(position)
    return isAtHand() ? here(packet) : placed(await format.readFrame(packet), packet)
  }

  return (packet) => (isAtHand() ? here(packet) : elsewhere(packet))
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
