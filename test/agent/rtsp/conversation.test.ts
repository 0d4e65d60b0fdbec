import { describe, expect, it } from 'vitest'
import {
  interleaved,
  numbersOf,
  picturesOn,
  play,
  rtpPacket,
  rtspClient,
  sessionOf,
} from './client.ts'
import { eagerStream, path, testServer, testStream } from './harness.ts'
import { madePacket, pps, sps } from './material.ts'

const methods = ['DESCRIBE', 'GET_PARAMETER', 'OPTIONS', 'PAUSE', 'PLAY', 'SETUP', 'TEARDOWN']
const listed = (text: string | undefined) => text?.split(', ').toSorted()

describe('the RTSP server', () => {
  it('says what it can', async () => {
    const { port } = await testServer()
    const { status, headers } = await (await rtspClient(port)).ask('OPTIONS', '*')
    expect(status).toBe(200)
    expect(headers.get('cseq')).toBe('1')
    expect(listed(headers.get('public'))).toEqual(methods)
  })

  it.each(['ANNOUNCE', 'RECORD', 'REDIRECT', 'SET_PARAMETER'])(
    'refuses %s, and says what is allowed',
    async (method) => {
      const server = await testServer()
      eagerStream(server)
      const client = await rtspClient(server.port)
      const { status, headers } = await client.ask(method, server.url)
      expect(status).toBe(405)
      expect(listed(headers.get('allow'))).toEqual(methods)
      expect((await client.ask('OPTIONS', '*')).status).toBe(200)
    },
  )

  it.each([
    ['an unknown method', 501, 'FLY', {}],
    ['an unknown option', 551, 'OPTIONS', { Require: 'com.example.magic' }],
    ['another description', 406, 'DESCRIBE', { Accept: 'text/html' }],
    ['a session that does not exist', 454, 'PLAY', { Session: '12345678' }],
    ['no session', 454, 'PAUSE', {}],
    ['the end of no session', 454, 'TEARDOWN', {}],
    ['no transport', 461, 'SETUP', {}],
    ['multicast', 461, 'SETUP', { Transport: 'RTP/AVP;multicast' }],
    ['values of parameters', 451, 'GET_PARAMETER', {}, 'packets_received\r\n'],
  ])('refuses %s with %i', async (_, expected, method, headers, body = '') => {
    const server = await testServer()
    eagerStream(server)
    const client = await rtspClient(server.port)
    expect((await client.ask(method, server.url, headers, body)).status).toBe(expected)
  })

  it.each(['', '/hall/video', '/hall/video/gate/trackID=1', '/hall/video/gate2'])(
    'knows nothing at "%s"',
    async (at) => {
      const server = await testServer()
      eagerStream(server)
      const client = await rtspClient(server.port)
      const url = `rtsp://127.0.0.1:${server.port}${at}`
      expect((await client.ask('DESCRIBE', url)).status).toBe(404)
      expect((await client.ask('SETUP', url, interleaved)).status).toBe(404)
    },
  )

  it('describes a stream by the parameter sets of its first key picture', async () => {
    const server = await testServer()
    const stream = testStream(server)
    const client = await rtspClient(server.port)
    const described = client.ask('DESCRIBE', server.url, { Accept: 'application/sdp' })
    await stream.said.until((said) => said.includes('key'))
    expect(stream.said.items).toEqual(['on', 'key'])
    stream.write(madePacket(0))
    stream.write(madePacket(1, { key: true }))
    const { status, headers, body } = await described
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('application/sdp')
    expect(headers.get('content-base')).toBe(`${server.url}/`)
    const base64 = [sps, pps].map((set) => Buffer.from(set).toString('base64'))
    expect(body).toContain(`sprop-parameter-sets=${base64.join(',')}\r\n`)
  })

  it('has who asks for a stream that is coming wait for it', async () => {
    const server = await testServer()
    server.expect((at) => at === path)
    const client = await rtspClient(server.port)
    const described = client.ask('DESCRIBE', server.url)
    const other = await rtspClient(server.port)
    expect((await other.ask('DESCRIBE', `${server.url}2`)).status).toBe(404)
    eagerStream(server)
    expect((await described).status).toBe(200)
  })

  it('has who asks for a stream that is being replaced wait for the new one', async () => {
    const server = await testServer()
    server.expect(() => true)
    const before = testStream(server)
    const client = await rtspClient(server.port)
    const described = client.ask('DESCRIBE', server.url)
    await before.said.until((said) => said.includes('key'))
    before.close()
    eagerStream(server)
    expect((await described).status).toBe(200)
  })

  it('has nobody wait for long for a stream that does not come', async () => {
    const server = await testServer({}, { comingMs: 30 })
    server.expect(() => true)
    const client = await rtspClient(server.port)
    expect((await client.ask('DESCRIBE', server.url)).status).toBe(404)
  })

  it('says that a stream without pictures is unavailable, after a while', async () => {
    const server = await testServer({}, { describeMs: 50 })
    testStream(server)
    const client = await rtspClient(server.port)
    expect((await client.ask('DESCRIBE', server.url)).status).toBe(503)
  })

  it('sends from a key picture on, and names the first packet beforehand', async () => {
    const server = await testServer()
    const stream = testStream(server)
    const client = await rtspClient(server.port)
    const made = await client.ask('SETUP', `${server.url}/trackID=0`, interleaved)
    expect(made.headers.get('session')).toMatch(/^[0-9a-f]{24};timeout=60$/)
    const playing = client.ask('PLAY', `${server.url}/`, { Session: sessionOf(made) })
    await stream.said.until((said) => said.includes('key'))
    for (const [index, key] of [false, false, true, false, true].entries()) {
      stream.write(madePacket(index, { key, bytes: 3000 }))
    }
    const { status, headers } = await playing
    await client.frames.until(() => picturesOn(client).length === 3)
    expect(status).toBe(200)
    expect(numbersOf(picturesOn(client))).toEqual([2, 3, 4])
    const first = rtpPacket(client.frames.items[0]?.data ?? Buffer.alloc(0))
    const { sequence, timestamp, ssrc } = first
    expect(headers.get('rtp-info')).toBe(
      `url=${server.url}/trackID=0;seq=${sequence};rtptime=${timestamp}`,
    )
    const told = /ssrc=([0-9A-F]{8})/.exec(made.headers.get('transport') ?? '')?.[1]
    expect(Number.parseInt(told ?? '', 16)).toBe(ssrc)
    expect(client.order.slice(0, 3)).toEqual([200, 200, 'channel 0'])
    const [two, three] = picturesOn(client).map((picture) => picture.timestamp)
    expect(((three ?? 0) - (two ?? 0) + 2 ** 32) % 2 ** 32).toBe(3600)
  })

  it('answers PLAY even where no key picture comes', async () => {
    const server = await testServer({}, { playMs: 30 })
    const stream = testStream(server)
    const client = await rtspClient(server.port)
    const session = sessionOf(await client.ask('SETUP', server.url, interleaved))
    const { status, headers } = await client.ask('PLAY', server.url, { Session: session })
    expect([status, headers.has('rtp-info')]).toEqual([200, false])
    stream.write(madePacket(5, { key: true }))
    await client.frames.until((frames) => frames.length > 0)
    expect(numbersOf(picturesOn(client))).toEqual([5])
  })

  it('reports with the first packet what it sent, in the time of both clocks', async () => {
    const server = await testServer()
    eagerStream(server)
    const client = await rtspClient(server.port)
    const before = Date.now()
    await play(client, server.url)
    const [first, report] = await client.frames.until((frames) =>
      frames.some(({ channel }) => channel === 1),
    )
    const sent = client.frames.items.filter(({ channel }) => channel === 0)
    const rtp = rtpPacket(first?.data ?? Buffer.alloc(0))
    const bytes = client.frames.items.find(({ channel }) => channel === 1)?.data ?? Buffer.alloc(0)
    expect(report).toBeDefined()
    expect([bytes.readUInt8(1), bytes.readUInt32BE(4)]).toEqual([200, rtp.ssrc])
    const unix = (bytes.readUInt32BE(8) - 2_208_988_800) * 1000
    expect(unix).toBeGreaterThan(before - 1001)
    expect(unix).toBeLessThanOrEqual(Date.now())
    expect(bytes.readUInt32BE(16)).toBe(rtp.timestamp)
    expect(bytes.readUInt32BE(20)).toBe(sent.length)
    const octets = sent.reduce((sum, { data }) => sum + data.length - 12, 0)
    expect(bytes.readUInt32BE(24)).toBe(octets)
  })

  it('reports again and again', async () => {
    const server = await testServer({}, { reportMs: 0 })
    const stream = eagerStream(server)
    const client = await rtspClient(server.port)
    await play(client, server.url)
    for (let index = 10; index < 20; index++) stream.write(madePacket(index))
    const reports = () => client.frames.items.filter(({ channel }) => channel === 1)
    await client.frames.until(() => reports().length === 11)
    const counts = reports().map(({ data }) => data.readUInt32BE(20))
    expect(counts).toEqual(counts.toSorted((a, b) => a - b))
    expect(new Set(counts).size).toBe(11)
  })

  it('sends nothing while paused, and begins anew on a key picture', async () => {
    const server = await testServer()
    const stream = testStream(server)
    const client = await rtspClient(server.port)
    const session = { Session: sessionOf(await client.ask('SETUP', server.url, interleaved)) }
    const first = client.ask('PLAY', server.url, session)
    await stream.said.until((said) => said.includes(1))
    stream.write(madePacket(0, { key: true }))
    await first
    expect((await client.ask('PAUSE', server.url, session)).status).toBe(200)
    expect(stream.viewers).toBe(0)
    stream.write(madePacket(1, { key: true }))
    expect((await client.ask('PAUSE', server.url, session)).status).toBe(455)
    const again = client.ask('PLAY', server.url, session)
    await stream.said.until((said) => said.filter((one) => one === 1).length === 2)
    stream.write(madePacket(2))
    stream.write(madePacket(3, { key: true }))
    await again
    stream.write(madePacket(4))
    await client.frames.until(() => picturesOn(client).length === 3)
    expect(numbersOf(picturesOn(client))).toEqual([0, 3, 4])
  })

  it('ends a session that is torn down, and keeps the connection', async () => {
    const server = await testServer()
    const stream = eagerStream(server)
    const client = await rtspClient(server.port)
    const session = await play(client, server.url)
    expect(stream.viewers).toBe(1)
    const told = await client.ask('TEARDOWN', server.url, { Session: session })
    expect([told.status, stream.viewers]).toEqual([200, 0])
    expect((await client.ask('GET_PARAMETER', server.url, { Session: session })).status).toBe(454)
    expect((await client.ask('GET_PARAMETER', server.url)).status).toBe(200)
    await play(client, server.url)
    expect(stream.viewers).toBe(1)
  })

  it('closes a connection that asks for it', async () => {
    const { port } = await testServer()
    const client = await rtspClient(port)
    await client.ask('OPTIONS', '*', { Connection: 'close' })
    await client.closed
  })

  it('forgets a viewer whose connection closes', async () => {
    const server = await testServer()
    const stream = testStream(server)
    const client = await rtspClient(server.port)
    const session = sessionOf(await client.ask('SETUP', server.url, interleaved))
    void client.ask('PLAY', server.url, { Session: session }).catch(() => undefined)
    await stream.said.until((said) => said.includes(1))
    client.socket.destroy()
    await stream.said.until((said) => said.at(-1) === 0)
  })

  it('serves several streams on one connection, each on channels of its own', async () => {
    const server = await testServer()
    eagerStream(server)
    const other = '/hall/video/yard'
    eagerStream(server, other)
    const client = await rtspClient(server.port)
    const urls = [server.url, server.url.replace(path, other)]
    const transports: (string | undefined)[] = []
    for (const url of urls) {
      const made = await client.ask('SETUP', url, { Transport: 'RTP/AVP/TCP;unicast' })
      transports.push(made.headers.get('transport')?.match(/interleaved=\d+-\d+/)?.[0])
      await client.ask('PLAY', url, { Session: sessionOf(made) })
    }
    expect(transports).toEqual(['interleaved=0-1', 'interleaved=2-3'])
    await client.frames.until((frames) => frames.some(({ channel }) => channel === 3))
    expect(picturesOn(client, 0).length).toBeGreaterThan(0)
    expect(picturesOn(client, 2).length).toBeGreaterThan(0)
    expect((await client.ask('SETUP', server.url, interleaved)).status).toBe(461)
  })

  it('serves channels as asked for', async () => {
    const server = await testServer()
    eagerStream(server)
    const client = await rtspClient(server.port)
    const wanted = { Transport: 'RTP/AVP/TCP;unicast;interleaved=8-9' }
    const session = sessionOf(await client.ask('SETUP', server.url, wanted))
    await client.ask('PLAY', server.url, { Session: session })
    await client.frames.until((frames) => frames.some(({ channel }) => channel === 9))
    expect(new Set(client.frames.items.map(({ channel }) => channel))).toEqual(new Set([8, 9]))
    expect(numbersOf(picturesOn(client, 8))).toEqual([0])
  })
})
