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
      const octets = nals.reduce((sum, nal) => sum + payloadOctets(nal), 0)
      const count = nals.reduce((sum, nal) => sum + packetsOf(nal), 0)
      const interleaved = Buffer.allocUnsafe(octets + count * (framingBytes + rtpHeaderBytes))
      const sequence = next
      const timestamp = (offset + pts) >>> 0
      const packets: Buffer[] = []
      let at = 0
      /** Writes what precedes a payload of `size` bytes. @returns where that begins */
      const head = (size: number): number => {
        const from = at + framingBytes
        const begin = from + rtpHeaderBytes
        at = begin + size
        writeFraming(interleaved, from - framingBytes, rtpHeaderBytes + size)
        const marker = at === interleaved.length
        writeHeader(interleaved, from, { marker, sequence: next, timestamp, ssrc })
        packets.push(interleaved.subarray(from, at))
        next = (next + 1) & 0xffff
        return begin
      }
      for (const nal of nals) {
        if (nal.length <= payloadBytes) interleaved.set(nal, head(nal.length))
        else writeFragments(interleaved, nal, head)
      }
      return { interleaved, packets, key, sequence, timestamp, octets }
    },
  }
}

/** A NAL unit that fits is one payload; fragments replace its first byte by two of their own. */
function packetsOf({ length }: Uint8Array): number {
  return length <= payloadBytes ? 1 : Math.ceil((length - 1) / fragmentBytes)
}

function payloadOctets(nal: Uint8Array): number {
  const count = packetsOf(nal)
  return count === 1 ? nal.length : nal.length - 1 + count * fragmentHeaderBytes
}

function writeFraming(target: Buffer, at: number, size: number): void {
  target.writeUInt16BE(0x2400, at)
  target.writeUInt16BE(size, at + 2)
}

function writeHeader(
  target: Buffer,
  at: number,
  fields: { marker: boolean; sequence: number; timestamp: number; ssrc: number },
): void {
  target[at] = 0x80
  target[at + 1] = (fields.marker ? 0x80 : 0) | PAYLOAD_TYPE
  target.writeUInt16BE(fields.sequence, at + 2)
  target.writeUInt32BE(fields.timestamp, at + 4)
  target.writeUInt32BE(fields.ssrc, at + 8)
}

function writeFragments(target: Buffer, nal: Uint8Array, head: (size: number) => number): void {
  const indicator = ((nal[0] ?? 0) & 0xe0) | FU_A
  const type = nalType(nal)
  for (let from = 1; from < nal.length; from += fragmentBytes) {
    const end = Math.min(from + fragmentBytes, nal.length)
    const at = head(fragmentHeaderBytes + end - from)
    target[at] = indicator
    target[at + 1] = (from === 1 ? 0x80 : 0) | (end === nal.length ? 0x40 : 0) | type
    target.set(nal.subarray(from, end), at + fragmentHeaderBytes)
  }
}
