import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../broker/limits.ts'
import { packetMeter } from '../../broker/packet-meter.ts'
import { connectPacket, packet, pingPacket, publishPacket, variableLength } from './wire.ts'

const connect = connectPacket({ clientId: 'x' })
const everything = Number.MAX_SAFE_INTEGER

describe('the packet meter', () => {
  it('stops after the packets it is asked for', () => {
    const meter = packetMeter(defaultLimits)
    const bytes = Buffer.concat([connect, pingPacket, publishPacket({ topic: 'a' }), pingPacket])
    expect(meter(bytes, 1)).toEqual({ length: connect.length, packets: 1 })
    const rest = bytes.subarray(connect.length)
    expect(meter(rest, 2)).toEqual({ length: rest.length - 2, packets: 2 })
  })

  it('counts the same packets wherever the bytes are cut', () => {
    const picture = publishPacket({ topic: 'a', payload: Buffer.alloc(300) })
    const bytes = Buffer.concat([connect, picture, pingPacket, picture])
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const meter = packetMeter(defaultLimits)
      const portions = [bytes.subarray(0, cut), bytes.subarray(cut)].map((part) =>
        meter(part, everything),
      )
      expect(portions.reduce((sum, { packets }) => sum + packets, 0)).toBe(4)
      expect(portions.some(({ problem }) => problem !== undefined)).toBe(false)
    }
  })

  it.each([
    { what: 'a CONNECT', before: [], type: 0x10, allowed: defaultLimits.connectBytes },
    { what: 'a first PUBLISH', before: [], type: 0x30, allowed: defaultLimits.connectBytes },
    { what: 'a PUBLISH', before: [connect], type: 0x32, allowed: defaultLimits.publishBytes },
    { what: 'a SUBSCRIBE', before: [connect], type: 0x82, allowed: defaultLimits.otherBytes },
  ])('allows $what of $allowed bytes and not one more', ({ before, type, allowed }) => {
    function problem(length: number): string | undefined {
      const header = Buffer.from([type, ...variableLength(length)])
      return packetMeter(defaultLimits)(Buffer.concat([...before, header]), everything).problem
    }
    expect(problem(allowed)).toBeUndefined()
    expect(problem(allowed + 1)).toBe(`packet of ${allowed + 1} bytes (allowed: ${allowed})`)
  })

  it('refuses a length of more than four bytes', () => {
    const endless = Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01])
    expect(packetMeter(defaultLimits)(endless, everything).problem).toBe('malformed packet length')
  })

  it('takes packets without a body', () => {
    const meter = packetMeter(defaultLimits)
    expect(meter(Buffer.concat([packet(0xe0), packet(0xc0)]), everything).packets).toBe(2)
  })
})
