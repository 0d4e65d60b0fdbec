import { describe, expect, it } from 'vitest'
import { goodbye, isRtcp, senderReport } from '../../../agent/rtsp/rtcp.ts'

/** The packets of a compound, by the lengths that they state. */
function parts(compound: Buffer): Buffer[] {
  const all: Buffer[] = []
  for (let at = 0; at < compound.length; at += all.at(-1)?.length ?? 4) {
    all.push(compound.subarray(at, at + 4 * (compound.readUInt16BE(at + 2) + 1)))
  }
  return all
}

const typesOf = (compound: Buffer) => parts(compound).map((part) => part.readUInt8(1))

describe('a sender report', () => {
  const at = Date.UTC(2026, 0, 2, 3, 4, 5, 250)
  const report = senderReport({ ssrc: 0xdeadbeef, at, timestamp: 77, packets: 5, octets: 999 })

  it('says when, in the time of NTP and in that of RTP, and how much', () => {
    const [first = Buffer.alloc(0)] = parts(report)
    // NTP counts from 1900: 70 years with 17 leap days before 1970.
    const seconds = first.readUInt32BE(8) - (70 * 365 + 17) * 86_400
    const fraction = first.readUInt32BE(12) / 2 ** 32
    expect((seconds + fraction) * 1000).toBeCloseTo(at, 0)
    expect(first.readUInt32BE(4)).toBe(0xdeadbeef)
    expect([16, 20, 24].map((offset) => first.readUInt32BE(offset))).toEqual([77, 5, 999])
  })

  it('comes with the name of its sender, in whole words', () => {
    expect(typesOf(report)).toEqual([200, 202])
    expect(report.length % 4).toBe(0)
    const [, names = Buffer.alloc(0)] = parts(report)
    const length = names.readUInt8(9)
    expect([names.readUInt8(8), names.toString('latin1', 10, 10 + length)]).toEqual([
      1,
      'heliograph',
    ])
    expect(names.readUInt8(10 + length)).toBe(0)
  })
})

describe('a goodbye', () => {
  it('follows an empty report', () => {
    expect(typesOf(goodbye(1))).toEqual([201, 202, 203])
    expect(parts(goodbye(0xabcdef)).map((part) => part.readUInt32BE(4))).toEqual([
      0xabcdef, 0xabcdef, 0xabcdef,
    ])
  })
})

describe('what comes from the network', () => {
  it('is RTCP where version, type and length say so', () => {
    expect(isRtcp(goodbye(1))).toBe(true)
    expect(isRtcp(Buffer.from('80c9000100000001', 'hex'))).toBe(true)
  })

  it.each(['', '80', '80c90001000000', '00c9000100000001', '8060000100000001', '80c9000900000001'])(
    'is not where %j',
    (hex) => {
      expect(isRtcp(Buffer.from(hex, 'hex'))).toBe(false)
    },
  )
})
