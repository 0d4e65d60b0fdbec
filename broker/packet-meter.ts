import type { Limits } from './limits.ts'

const PUBLISH = 3

/** How far the packets in some bytes reach. */
export interface Portion {
  /** Bytes up to the end of the last packet asked for, or all there are. */
  readonly length: number
  /** Packets that end within them. */
  readonly packets: number
  /** What is wrong with them. */
  readonly problem?: string
}

/**
 * Follows the packets in the bytes of one connection (MQTT 3.1.1, section 2.2), to portion and to
 * judge them. Sizes are judged by the fixed header, before a packet is buffered anywhere.
 */
export function packetMeter(limits: Limits): (bytes: Uint8Array, maxPackets: number) => Portion {
  let first = true
  let type: number | undefined
  let length = 0
  let lengthBytes = 0
  let body: number | undefined

  /** Takes one byte of a fixed header. */
  function header(byte: number): string | undefined {
    if (type === undefined) {
      type = byte >> 4
      return undefined
    }
    length += (byte & 0x7f) * 128 ** lengthBytes
    lengthBytes += 1
    if (byte & 0x80) return lengthBytes === 4 ? 'malformed packet length' : undefined
    const allowed = allowedBytes(limits, first, type)
    if (length > allowed) return `packet of ${length} bytes (allowed: ${allowed})`
    body = length
    return undefined
  }
  /** Takes what there is of a body; returns how much. */
  function skip(available: number): number {
    const taken = Math.min(body ?? 0, available)
    if (body !== undefined) body -= taken
    return taken
  }
  /** Whether a packet ends here. */
  function ends(): boolean {
    if (body !== 0) return false
    first = false
    type = undefined
    length = 0
    lengthBytes = 0
    body = undefined
    return true
  }

  return (bytes, maxPackets) => {
    let at = 0
    let packets = 0
    while (packets < maxPackets && at < bytes.length) {
      const problem = body === undefined ? header(bytes[at++] ?? 0) : undefined
      if (problem) return { length: at, packets, problem }
      at += skip(bytes.length - at)
      if (ends()) packets += 1
    }
    return { length: at, packets }
  }
}

function allowedBytes(limits: Limits, first: boolean, type: number): number {
  if (first) return limits.connectBytes
  return type === PUBLISH ? limits.publishBytes : limits.otherBytes
}
