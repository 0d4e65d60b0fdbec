const version = 0x80
const types = { senderReport: 200, receiverReport: 201, description: 202, bye: 203, last: 207 }
const secondsFrom1900To1970 = 2_208_988_800
/** As RFC 3550, section 6.5.1 wants it: the same for all that this program sends. */
const canonicalName = 'heliograph'

/** What a sender tells of itself. */
export interface Sent {
  readonly ssrc: number
  /** Unix milliseconds. */
  readonly at: number
  /** What the RTP clock says at that time. */
  readonly timestamp: number
  readonly packets: number
  readonly octets: number
}

/** A compound packet of a sender report and the sender's name (RFC 3550, sections 6.4.1 and 6.5). */
export function senderReport({ ssrc, at, timestamp, packets, octets }: Sent): Buffer {
  const report = headed(types.senderReport, 0, 28)
  report.writeUInt32BE(ssrc, 4)
  report.writeUInt32BE((Math.floor(at / 1000) + secondsFrom1900To1970) % 2 ** 32, 8)
  report.writeUInt32BE(Math.floor(((at % 1000) / 1000) * 2 ** 32), 12)
  report.writeUInt32BE(timestamp, 16)
  report.writeUInt32BE(packets % 2 ** 32, 20)
  report.writeUInt32BE(octets % 2 ** 32, 24)
  return Buffer.concat([report, description(ssrc)])
}

/** Says that the sender leaves (RFC 3550, section 6.6), in a compound packet as section 6.1 wants it. */
export function goodbye(ssrc: number): Buffer {
  const report = headed(types.receiverReport, 0, 8)
  report.writeUInt32BE(ssrc, 4)
  const bye = headed(types.bye, 1, 8)
  bye.writeUInt32BE(ssrc, 4)
  return Buffer.concat([report, description(ssrc), bye])
}

/** Whether bytes from the network can be RTCP (the checks of RFC 3550, appendix A.2, on the first packet). */
export function isRtcp(data: Buffer): boolean {
  if (data.length < 8 || data.readUInt8(0) >> 6 !== 2) return false
  const type = data.readUInt8(1)
  const known = type >= types.senderReport && type <= types.last
  return known && (data.readUInt16BE(2) + 1) * 4 <= data.length
}

function description(ssrc: number): Buffer {
  const name = Buffer.from(canonicalName, 'latin1')
  const size = 4 * Math.ceil((8 + 2 + name.length + 1) / 4)
  const packet = headed(types.description, 1, size)
  packet.writeUInt32BE(ssrc, 4)
  packet.writeUInt8(1, 8)
  packet.writeUInt8(name.length, 9)
  packet.set(name, 10)
  return packet
}

function headed(type: number, count: number, size: number): Buffer {
  const packet = Buffer.alloc(size)
  packet.writeUInt8(version | count, 0)
  packet.writeUInt8(type, 1)
  packet.writeUInt16BE(size / 4 - 1, 2)
  return packet
}
