import { describe, expect, it } from 'vitest'
import { sdp } from '../../../agent/rtsp/sdp.ts'
import { baseUrl, targetOf } from '../../../agent/rtsp/target.ts'
import { wishOf } from '../../../agent/rtsp/transport-header.ts'
import { format, pps, sps } from './material.ts'

describe('a Transport header', () => {
  it.each([
    ['RTP/AVP/TCP;unicast;interleaved=0-1', { kind: 'tcp', channel: 0 }],
    ['RTP/AVP/TCP;interleaved=6', { kind: 'tcp', channel: 6 }],
    ['RTP/AVP/TCP;unicast', { kind: 'tcp', channel: undefined }],
    ['RTP/AVP;unicast;client_port=5000-5001', { kind: 'udp', rtpPort: 5000, rtcpPort: 5001 }],
    ['RTP/AVP/UDP;unicast;client_port=5000', { kind: 'udp', rtpPort: 5000, rtcpPort: 5001 }],
    [
      'rtp/avp; unicast; client_port=5002-5009;mode="PLAY"',
      { kind: 'udp', rtpPort: 5002, rtcpPort: 5009 },
    ],
    [
      'RTP/AVP;multicast;client_port=5000-5001,RTP/AVP/TCP;unicast;interleaved=2-3',
      { kind: 'tcp', channel: 2 },
    ],
  ])('%s is understood', (header, expected) => {
    expect(wishOf(header)).toEqual(expected)
  })

  it.each([
    '',
    'RTP/AVP;multicast;client_port=5000-5001',
    'RTP/AVP;unicast',
    'RTP/AVP;unicast;client_port=53-54',
    'RTP/AVP;unicast;client_port=65535-65536',
    'RTP/AVP;unicast;client_port=5000-5000',
    'RTP/AVP;unicast;client_port=x',
    'RTP/AVP/TCP;interleaved=255-256',
    'RTP/AVP/TCP;interleaved=1-5',
    'RTP/SAVP;unicast;client_port=5000-5001',
    'RTP/AVP/TCP;interleaved=0-1;mode=record',
  ])('%j offers nothing that this server does', (header) => {
    expect(wishOf(header)).toBeUndefined()
  })
})

describe("a request's URL", () => {
  it.each([
    ['rtsp://h:8554/a/b/c', '/a/b/c'],
    ['rtsp://h:8554/a/b/c/', '/a/b/c'],
    ['rtsp://h:8554/a/b/c/trackID=0', '/a/b/c'],
    ['rtsp://h:8554/a/b/c//trackID=0/', '/a/b/c'],
    ['RTSP://u:p@h:8554/a/b/c?x=1#y', '/a/b/c'],
    ['rtsp://h:8554', ''],
    ['rtsp://h/a/b/c/trackID=1', '/a/b/c/trackID=1'],
  ])('%s points to %j', (url, path) => {
    expect(targetOf(url)?.path).toBe(path)
  })

  it.each(['*', '/a/b/c', 'http://h/a', 'rtsp://', 'rtsp:///a', 'rtsp://u:p@/a'])(
    '%s points nowhere',
    (url) => {
      expect(targetOf(url)).toBeUndefined()
    },
  )

  it('is repeated without its password', () => {
    const target = targetOf('rtsp://user:se@cret@[::1]:8554/a/b/c/trackID=0?x')
    expect(target && baseUrl(target)).toBe('rtsp://[::1]:8554/a/b/c/')
  })
})

describe('a description', () => {
  const lines = (address: string) =>
    sdp({ path: '/a/b/c', format, sets: { sps, pps }, address, id: '42' }).split('\r\n')

  it('names the codec with its parameter sets', () => {
    const found = lines('127.0.0.1').find((line) => line.startsWith('a=fmtp:96 '))
    const parameters = new Map(
      found
        ?.slice(10)
        .split(';')
        .map((pair) => [pair.split('=')[0], pair.slice(pair.indexOf('=') + 1)]),
    )
    expect(parameters.get('packetization-mode')).toBe('1')
    expect(parameters.get('profile-level-id')).toBe('64001f')
    const sets = parameters.get('sprop-parameter-sets')?.split(',') ?? []
    expect(sets.map((set) => [...Buffer.from(set, 'base64')])).toEqual([[...sps], [...pps]])
  })

  it('is of the address family by which it was asked for, line by line as RFC 4566 orders them', () => {
    expect(lines('192.0.2.1')).toContain('o=- 42 1 IN IP4 192.0.2.1')
    expect(lines('2001:db8::1')).toContain('o=- 42 1 IN IP6 2001:db8::1')
    expect(lines('2001:db8::1')).toContain('c=IN IP6 ::')
    const types = lines('192.0.2.1').map((line) => line[0] ?? '')
    expect(types.join('')).toMatch(/^vosct+a+ma+$/)
  })
})
