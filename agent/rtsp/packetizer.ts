import { randomInt } from 'node:crypto'
import type { VideoPacket } from '../core/video.ts'
import { nalType, nalTypes, nalUnits } from '../mux/h264.ts'

/** Payload type of H.264: a dynamic one (RFC 3551, section 6). */
export const PAYLOAD_TYPE = 96

/** One access unit as RTP packets. All viewers share it; nobody may write into it. */
export interface RtpBurst {
  /** The packets one after another, each with the four bytes that RFC 2326, section 10.12 puts ahead; channel 0. */
  readonly interleaved: Buffer
  /** The same without those bytes; views. */
  readonly packets: readonly Buffer[]
  readonly key: boolean
  /** Of the first packet. */
  readonly sequence: number
  readonly timestamp: number
  /** Of payload, as sender reports count them. */
  readonly octets: number
}

/** Turns access units into RTP packets. */
export interface Packetizer {
  readonly ssrc: number
  packetize(packet: VideoPacket): RtpBurst
}

/** With IP (40 bytes of version 6) and UDP headers less than the 1500 of Ethernet, with room for a tunnel. */
const packetBytes = 1400
const framingBytes = 4
const rtpHeaderBytes = 12
const payloadBytes = packetBytes - rtpHeaderBytes
const fragmentHeaderBytes = 2
const fragmentBytes = payloadBytes - fragmentHeaderBytes
const FU_A = 28

/** RTP (RFC 3550, section 5.1) of H.264 in non-interleaved mode: single NAL units and FU-A (RFC 6184, sections 5.6 and 5.8). */
export function packetizer(): Packetizer {
  const ssrc = randomInt(2 ** 32)
  const offset = randomInt(2 ** 32)
  let next = randomInt(2 ** 16)

  return {
    ssrc,
    packetize({ data, pts, key }) {
      const nals = [...nalUnits(data)].filter((nal) => nalType(nal) !== nalTypes.delimiter)
      const sizes = nals.flatMap(payloadSizes)
      const octets = sizes.reduce((sum, size) => sum + size, 0)
      const interleaved = Buffer.allocUnsafe(
        octets + sizes.length * (framingBytes + rtpHeaderBytes),
      )
      const sequence = next
      const timestamp = (offset + pts) >>> 0
      const packets: Buffer[] = []
      let at = 0
      for (const [index, size] of sizes.entries()) {
        const end = at + framingBytes + rtpHeaderBytes + size
        const marker = index === sizes.length - 1
        writeFraming(interleaved, at, rtpHeaderBytes + size)
        const packet = interleaved.subarray(at + framingBytes, end)
        writeHeader(packet, { marker, sequence: next, timestamp, ssrc })
        packets.push(packet)
        next = (next + 1) % 2 ** 16
        at = end
      }
      fill(packets, nals)
      return { interleaved, packets, key, sequence, timestamp, octets }
    },
  }
}

/** The payloads that a NAL unit becomes. A fragment replaces the NAL unit's first byte by two of its own. */
function payloadSizes(nal: Uint8Array): number[] {
  if (nal.length <= payloadBytes) return [nal.length]
  const count = Math.ceil((nal.length - 1) / fragmentBytes)
  const rest = nal.length - 1 - (count - 1) * fragmentBytes
  return Array.from(
    { length: count },
    (_, index) => fragmentHeaderBytes + (index === count - 1 ? rest : fragmentBytes),
  )
}

function writeFraming(target: Buffer, at: number, size: number): void {
  target.writeUInt16BE(0x2400, at)
  target.writeUInt16BE(size, at + 2)
}

function writeHeader(
  packet: Buffer,
  fields: { marker: boolean; sequence: number; timestamp: number; ssrc: number },
): void {
  packet.writeUInt8(0x80, 0)
  packet.writeUInt8((fields.marker ? 0x80 : 0) | PAYLOAD_TYPE, 1)
  packet.writeUInt16BE(fields.sequence, 2)
  packet.writeUInt32BE(fields.timestamp, 4)
  packet.writeUInt32BE(fields.ssrc, 8)
}

/** Copies the NAL units into the packets made for them, in order. */
function fill(packets: readonly Buffer[], nals: readonly Uint8Array[]): void {
  let index = 0
  for (const nal of nals) {
    const count = payloadSizes(nal).length
    const own = packets.slice(index, index + count)
    index += count
    if (own.length === 1) own[0]?.set(nal, rtpHeaderBytes)
    else fillFragments(own, nal)
  }
}

function fillFragments(packets: readonly Buffer[], nal: Uint8Array): void {
  const header = nal[0] ?? 0
  const indicator = (header & 0xe0) | FU_A
  for (const [index, packet] of packets.entries()) {
    const start = index === 0 ? 0x80 : 0
    const end = index === packets.length - 1 ? 0x40 : 0
    packet.writeUInt8(indicator, rtpHeaderBytes)
    packet.writeUInt8(start | end | nalType(nal), rtpHeaderBytes + 1)
    const from = 1 + index * fragmentBytes
    packet.set(nal.subarray(from, from + fragmentBytes), rtpHeaderBytes + fragmentHeaderBytes)
  }
}
