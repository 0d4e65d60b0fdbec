import { describe, expect, it } from 'vitest'
import { packetizer, type RtpBurst } from '../../../agent/rtsp/packetizer.ts'
import { type Picture, pictures, rtpPacket } from './client.ts'
import { accessUnit, madePacket, nalOf, pps, sps } from './material.ts'

const packetsOf = ({ packets }: RtpBurst) => packets.map((packet) => rtpPacket(packet))
const nalsOf = (picture: Picture | undefined) => picture?.nals.map((nal) => nal.toString('hex'))
const hex = (nals: readonly Uint8Array[]) => nals.map((nal) => Buffer.from(nal).toString('hex'))

/** Largest datagram that passes Ethernet with IPv6 and UDP headers. */
const largest = 1500 - 40 - 8

describe('a packetizer', () => {
  it.each([1, 2, 3, 1387, 1388, 1389, 1390, 2772, 2773, 2774, 5000, 100_000])(
    'carries a slice of %s bytes whole',
    (bytes) => {
      const nals = [sps, pps, nalOf(0x65, bytes, 0xab)]
      const burst = packetizer().packetize({ data: accessUnit(...nals), pts: 0, key: true })
      const [picture, ...others] = pictures(packetsOf(burst))
      expect(others).toEqual([])
      expect(nalsOf(picture)).toEqual(hex(nals))
      expect(Math.max(...burst.packets.map(({ length }) => length))).toBeLessThanOrEqual(largest)
    },
  )

  it('splits into fragments only what does not fit, and never into a single one', () => {
    for (let bytes = 1300; bytes < 4300; bytes++) {
      const { packets } = packetizer().packetize(madePacket(0, { bytes }))
      expect(packets.length).toBe(bytes <= 1388 ? 1 : Math.ceil((bytes - 1) / 1386))
    }
  })

  it('marks the last packet of a picture only', () => {
    const burst = packetizer().packetize(madePacket(0, { key: true, bytes: 5000 }))
    const markers = packetsOf(burst).map(({ marker }) => marker)
    expect(markers.length).toBeGreaterThan(4)
    expect(markers.indexOf(true)).toBe(markers.length - 1)
  })

  it('numbers packets without a hole, across 65535 and across pictures', () => {
    const rtp = packetizer()
    const all = Array.from({ length: 70 }, (_, index) =>
      rtp.packetize(madePacket(index, { bytes: 1_386_000 })),
    )
    expect(all.map(({ sequence }) => sequence)).toEqual(
      all.map((burst) => rtpPacket(burst.packets[0] ?? Buffer.alloc(0)).sequence),
    )
    const sequences = all.flatMap(packetsOf).map(({ sequence }) => sequence)
    expect(sequences.length).toBeGreaterThan(65_536)
    const steps = sequences.slice(1).map((one, index) => (one - (sequences[index] ?? 0)) & 0xffff)
    expect(new Set(steps)).toEqual(new Set([1]))
  })

  it('follows the clock of the packets from a random beginning', () => {
    const rtp = packetizer()
    const first = rtp.packetize({ ...madePacket(0), pts: 0 })
    const second = rtp.packetize({ ...madePacket(1), pts: 2 ** 32 + 90_000 })
    expect((second.timestamp - first.timestamp + 2 ** 32) % 2 ** 32).toBe(90_000)
    expect(new Set([first, second].flatMap(packetsOf).map(({ ssrc }) => ssrc))).toEqual(
      new Set([rtp.ssrc]),
    )
    const beginnings = Array.from({ length: 20 }, () => packetizer().packetize(madePacket(0)))
    expect(new Set(beginnings.map(({ timestamp }) => timestamp)).size).toBe(20)
  })

  it('puts the same packets one after another, each with its channel and length', () => {
    const { interleaved, packets, octets } = packetizer().packetize(
      madePacket(3, { key: true, bytes: 4000 }),
    )
    const expected = packets.map((packet) => {
      const framing = Buffer.from([0x24, 0, 0, 0])
      framing.writeUInt16BE(packet.length, 2)
      return Buffer.concat([framing, packet])
    })
    expect(interleaved.equals(Buffer.concat(expected))).toBe(true)
    expect(octets).toBe(packets.reduce((sum, packet) => sum + packet.length - 12, 0))
  })

  it('leaves access unit delimiters out, and makes nothing of nothing', () => {
    const delimiter = Uint8Array.of(0x09, 0xf0)
    const data = accessUnit(delimiter, nalOf(0x41, 50, 7))
    expect(packetizer().packetize({ data, pts: 0, key: false }).packets).toHaveLength(1)
    const nothing = packetizer().packetize({ data: new Uint8Array(), pts: 0, key: false })
    expect(nothing.packets).toHaveLength(0)
    expect(nothing.interleaved).toHaveLength(0)
  })
})
