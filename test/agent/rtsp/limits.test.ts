import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { defaultRtspLimits } from '../../../agent/rtsp/limits.ts'
import { startRtspServer } from '../../../agent/rtsp/server.ts'
import { inbox, type LogLine, recorder } from '../../broker/harness.ts'
import { interleaved, play, requestText, rtspClient, sessionOf } from './client.ts'
import { eagerStream, testServer, testStream } from './harness.ts'

const told = (mishap: string) => (lines: readonly LogLine[]) =>
  lines.some(({ level, fields }) => level === 'warn' && mishap in fields)

describe('the RTSP server, at its limits', () => {
  it('serves so many viewers and refuses the next, until one leaves', async () => {
    const server = await testServer({ clients: 2 })
    const stream = eagerStream(server)
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => rtspClient(server.port)))
    if (!first || !second || !third) throw new Error('no clients')
    await play(first, server.url)
    const session = await play(second, server.url)
    expect((await third.ask('SETUP', server.url, interleaved)).status).toBe(453)
    await server.lines.until(told('refusedViewers'))
    await second.ask('TEARDOWN', server.url, { Session: session })
    await play(third, server.url)
    expect(stream.viewers).toBe(2)
  })

  it('takes so many connections and no more, until one closes', async () => {
    const server = await testServer({ clients: 1 }, { spareConnections: 1 })
    const first = await rtspClient(server.port)
    await rtspClient(server.port)
    const third = await rtspClient(server.port)
    await third.closed
    await server.lines.until(told('refusedConnections'))
    first.socket.destroy()
    await first.closed
    await expect
      .poll(async () => {
        const again = await rtspClient(server.port)
        return again.ask('OPTIONS', '*').then(
          ({ status }) => status,
          () => 0,
        )
      })
      .toBe(200)
  })

  it('closes a connection that sets nothing up, even if it keeps asking', async () => {
    const server = await testServer({}, { connectionMs: 200, requestsPerSecond: 1000 })
    const idle = await rtspClient(server.port)
    const busy = await rtspClient(server.port)
    const half = await rtspClient(server.port)
    const timer = setInterval(
      () => busy.socket.write(requestText('OPTIONS', '*', { CSeq: '1' })),
      20,
    )
    onTestFinished(() => clearInterval(timer))
    half.socket.write('OPTIONS * RTSP/1.0\r\nCSeq:')
    const began = performance.now()
    await Promise.all([idle.closed, busy.closed, half.closed])
    expect(performance.now() - began).toBeGreaterThan(150)
    expect(busy.answers.items.length).toBeGreaterThan(1)
  })

  it('leaves the connection of a viewer alone for longer', async () => {
    const server = await testServer({}, { connectionMs: 60 })
    eagerStream(server)
    const viewer = await rtspClient(server.port)
    await play(viewer, server.url)
    await (await rtspClient(server.port)).closed
    await (await rtspClient(server.port)).closed
    expect((await viewer.ask('OPTIONS', '*')).status).toBe(200)
  })

  it('ends a session that is set up and never played, and the connection that has no other', async () => {
    const server = await testServer({ clients: 1 }, { setupMs: 100, connectionMs: 100 })
    eagerStream(server)
    const client = await rtspClient(server.port)
    const session = sessionOf(await client.ask('SETUP', server.url, interleaved))
    await client.ask('GET_PARAMETER', server.url, { Session: session })
    await client.closed
    await play(await rtspClient(server.port), server.url)
  })

  it('ends a session that is paused and not heard of', async () => {
    const server = await testServer({}, { sessionMs: 100 })
    eagerStream(server)
    const client = await rtspClient(server.port)
    const session = await play(client, server.url)
    await client.ask('PAUSE', server.url, { Session: session })
    await client.frames.until((all) =>
      all.some(({ channel, data }) => channel === 1 && data.subarray(-8).readUInt8(1) === 203),
    )
    expect((await client.ask('PLAY', server.url, { Session: session })).status).toBe(454)
  })

  it('closes the connection of who asks too fast', async () => {
    const server = await testServer({}, { requestsPerSecond: 20 })
    const client = await rtspClient(server.port)
    client.socket.write(requestText('OPTIONS', '*', { CSeq: '1' }).repeat(21))
    await client.closed
    const statuses = client.answers.items.map(({ status }) => status)
    expect(statuses).toEqual([...Array.from({ length: 20 }, () => 200), 503])
    await server.lines.until(told('badRequests'))
  })

  it('closes the connection of who sends too much', async () => {
    const server = await testServer({}, { bytesPerSecond: 10_000 })
    const client = await rtspClient(server.port)
    const report = Buffer.concat([Buffer.from([0x24, 1, 0, 100]), Buffer.alloc(100)])
    client.socket.write(Buffer.concat(Array.from({ length: 100 }, () => report)))
    await client.closed
    expect(client.answers.items).toEqual([])
  })

  it('answers nonsense once and closes', async () => {
    const { port } = await testServer()
    const client = await rtspClient(port)
    client.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3))
    await client.closed
    expect(client.answers.items.map(({ status }) => status)).toEqual([400])
  })

  it('answers requests in order, even where one has to wait', async () => {
    const server = await testServer({}, { describeMs: 50 })
    testStream(server)
    const client = await rtspClient(server.port)
    const texts = ['DESCRIBE', 'OPTIONS', 'DESCRIBE', 'PLAY'].map((method, index) =>
      requestText(method, server.url, { CSeq: String(index) }),
    )
    client.socket.write(texts.join(''))
    await client.answers.until((answers) => answers.length === 4)
    const found = client.answers.items.map(({ status, headers }) => [headers.get('cseq'), status])
    expect(found).toEqual([
      ['0', 503],
      ['1', 200],
      ['2', 503],
      ['3', 454],
    ])
  })

  it('closes politely, and frees its port', async () => {
    const server = await testServer()
    eagerStream(server)
    const client = await rtspClient(server.port)
    await play(client, server.url)
    await server.close()
    await client.closed
    const last = client.frames.items.at(-1)?.data ?? Buffer.alloc(8)
    expect(last.subarray(-8).readUInt8(1)).toBe(203)
    await testServer({ port: server.port })
  })

  it('says which setting moves it where its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const address = other.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const config = { host: '127.0.0.1', port, users: [], clients: 1, queueBytes: 1 }
    const log = recorder(inbox<LogLine>())
    await expect(startRtspServer({ config, log, limits: defaultRtspLimits })).rejects.toMatchObject(
      {
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/^port \d+ .* taken by .* --rtsp-port \(or rtsp\.port\)/),
      },
    )
  })
})
