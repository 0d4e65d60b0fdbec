import type { Limits } from './limits.ts'

const PUBLISH = 3

/**
 * Follows the packets in the bytes of one connection (MQTT 3.1.1, section 2.2) and returns what is
 * wrong with them. Sizes are judged by the fixed header, before a packet is buffered anywhere.
 */
export function packetMeter(limits: Limits): (bytes: Uint8Array) => string | undefined {
  let first = true
  let type: number | undefined
  let length = 0
  let lengthBytes = 0
  let body = 0

  /** One byte of a fixed header. */
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
    first = false
    type = undefined
    length = 0
    lengthBytes = 0
    return undefined
  }

  return (bytes) => {
    let at = 0
    while (at < bytes.length) {
      const skipped = Math.min(body, bytes.length - at)
      body -= skipped
      at += skipped
      const byte = bytes[at++]
      const problem = byte === undefined ? undefined : header(byte)
      if (problem) return problem
    }
    return
  }
}

function allowedBytes(limits: Limits, first: boolean, type: number): number {
  if (first) return limits.connectBytes
  return type === PUBLISH ? limits.publishBytes : limits.otherBytes
}
