import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openWebServer, type WebLimits } from '../../../agent/net/web-server.ts'
import { inbox, type LogLine, recorder } from '../../broker/harness.ts'
import { rawConnection, rawRequest } from '../../raw-connection.ts'
import { anyWebPort, usualWebLimits } from '../../web-config.ts'

/** A web server that counts the bytes of bodies; `/wait` is answered when the test says so. */
async function server(limits: Partial<WebLimits> = {}) {
  const log = recorder(inbox<LogLine>())
  const config = { ...anyWebPort, limits: { ...usualWebLimits, ...limits } }
  const web = await openWebServer(config, log)
  onTestFinished(() => web.close())
  const waiting = inbox<() => void>()
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/early') {
      response.writeHead(401, { 'content-length': 2, connection: 'close' }).end('no')
      return
    }
    if (request.url === '/wait') await new Promise<void>((resolve) => waiting.add(resolve))
    let bytes = 0
    for await (const chunk of request) bytes += chunk.length
    const body = `${bytes} bytes`
    response.writeHead(200, { 'content-length': body.length }).end(body)
  }
  // Reading fails where the connection is ended.
  web.handle((request, response) => void answer(request, response).catch(() => undefined))
  const connect = () => rawConnection(web.port)
  const normal = async () => {
    const response = await fetch(`http://127.0.0.1:${web.port}/`, { method: 'PUT', body: 'four' })
    return response.text()
  }
  return { web, waiting, connect, normal }
}

const slow = { bodyBytesPerSecond: 1000, bodyStallMs: 200 }
const upload = rawRequest('PUT /', ['Transfer-Encoding: chunked'])
const problem = (body = '{}') => JSON.parse(body)

describe('a body', () => {
  it('that stalls is refused, and names the limit', async () => {
    const { connect, normal } = await server(slow)
    const { send, answers, closed } = await connect()
    await send(`${upload}4\r\nabcd\r\n`)
    const [answer] = await answers(1)
    expect(answer).toMatchObject({ status: 408, headers: { connection: 'close' } })
    expect(problem(answer?.body)).toMatchObject({
      code: 'TIMEOUT',
      detail: expect.stringContaining('http.limits.bodyBytesPerSecond (1000)'),
    })
    await closed
    expect(await normal()).toBe('4 bytes')
  })

  it('that nobody reads yet does not stall', async () => {
    const { connect, waiting } = await server(slow)
    const { send, answers } = await connect()
    await send(`${rawRequest('PUT /wait', ['Content-Length: 400000'])}${'x'.repeat(300_000)}`)
    const [release] = await waiting.until((some) => some.length === 1)
    const other = await connect()
    await other.send(`${upload}4\r\nabcd\r\n`)
    expect((await other.answers(1))[0]?.status).toBe(408)
    release?.()
    await send('x'.repeat(100_000))
    expect((await answers(1))[0]).toMatchObject({ status: 200, body: '400000 bytes' })
  })

  it('of a refused request is not waited for', async () => {
    const { connect } = await server()
    const { send, socket, closed } = await connect()
    await send(rawRequest('PUT /early', ['Content-Length: 100000000']))
    const pour = setInterval(() => socket.writable && socket.write('x'.repeat(10_000)), 5)
    onTestFinished(() => clearInterval(pour))
    expect(await closed).toMatch(/^HTTP\/1\.1 401 [\s\S]*no$/)
    await expect.poll(() => socket.destroyed, { timeout: 5000 }).toBe(true)
  })

  it('is sent after 100 Continue only if it is wanted', async () => {
    const { connect, normal } = await server()
    const { send, answers } = await connect()
    const expecting = ['Content-Length: 4', 'Expect: 100-continue']
    await send(rawRequest('PUT /early', expecting))
    expect((await answers(1))[0]?.status).toBe(401)
    const other = await connect()
    await other.send(rawRequest('PUT /', ['Content-Length: 4', 'Expect: 200-ok']))
    expect((await other.answers(1))[0]).toMatchObject({ status: 417 })
    expect(await normal()).toBe('4 bytes')
  })
})

describe('a head', () => {
  it('that is too large, too long or too slow is refused, naming the limit', async () => {
    const { connect } = await server({ headersMs: 200, headers: 5, urlBytes: 100 })
    for (const [text, status, limit] of [
      [rawRequest('GET /', [`X: ${'x'.repeat(20_000)}`]), 431, 'http.limits.headerBytes'],
      [rawRequest('GET /', Array(5).fill('X: y')), 431, 'http.limits.headers (5)'],
      [rawRequest(`GET /${'x'.repeat(100)}`), 414, 'http.limits.urlBytes is 100'],
      ['GET / HTTP/1.1\r\nHost: localhost\r\n', 408, 'http.limits.headersMs'],
    ] as const) {
      const { send, answers, closed } = await connect()
      await send(text)
      const [answer] = await answers(1)
      expect(answer?.status).toBe(status)
      expect(answer?.headers['content-type']).toBe('application/problem+json')
      expect(problem(answer?.body).detail).toContain(limit)
      await closed
    }
  })

  it('that is no HTTP is answered by a problem', async () => {
    const { connect, normal } = await server()
    const { send, answers } = await connect()
    await send('\x16\x03\x01 hello\r\n\r\n')
    const [answer] = await answers(1)
    expect(answer?.status).toBe(400)
    expect(problem(answer?.body)).toMatchObject({ code: 'MESSAGE_INVALID', status: 400 })
    expect(await normal()).toBe('4 bytes')
  })
})

describe('connections', () => {
  it.each([
    ['connections', { connections: 2 }],
    ['connectionsPerAddress', { connectionsPerAddress: 2 }],
  ])('beyond http.limits.%s are told so and closed; others go on', async (name, limits) => {
    const { connect, normal } = await server(limits)
    const first = await connect()
    const second = await connect()
    const third = await connect()
    await third.send(rawRequest('GET /'))
    expect(await third.closed).toMatch(/^HTTP\/1\.1 503 /)
    expect(await third.closed).toContain(`http.limits.${name} (2)`)
    await first.send(rawRequest('GET /'))
    expect((await first.answers(1))[0]?.status).toBe(200)
    second.socket.destroy()
    // Those that are turned away meanwhile count until they are closed.
    await expect.poll(() => normal().catch(() => ''), { timeout: 10_000 }).toBe('4 bytes')
  })

  it('are closed after so many requests, and when they are idle', async () => {
    const { connect } = await server({ requestsPerConnection: 2, keepAliveMs: 100 })
    const busy = await connect()
    await busy.send(rawRequest('GET /').repeat(2))
    const [, last] = await busy.answers(2)
    expect(last).toMatchObject({ status: 200, headers: { connection: 'close' } })
    const idle = await connect()
    await idle.send(rawRequest('GET /'))
    expect(await idle.closed).toMatch(/^HTTP\/1\.1 200 /)
  })
})

describe('before it is closed', () => {
  it('finishes what it accepted, refuses what comes after, then closes', async () => {
    const { web, connect, waiting } = await server()
    const idle = await connect()
    await idle.send(rawRequest('GET /'))
    await idle.answers(1)
    const { send, answers, closed } = await connect()
    await send(rawRequest('GET /wait'))
    const [release] = await waiting.until((some) => some.length === 1)
    const drained = web.drain()
    await idle.closed
    await send(rawRequest('GET /'))
    const late = await rawConnection(web.port)
    expect(late.socket.destroyed || (await late.closed) === '').toBe(true)
    release?.()
    const [first] = await answers(1)
    expect(first).toMatchObject({ status: 200, headers: { connection: 'close' } })
    await drained
    await closed
  })

  it('answers 503 to a request that was sent behind an accepted one', async () => {
    const { web, connect, waiting } = await server()
    const { send, answers } = await connect()
    await send(`${rawRequest('PUT /wait', ['Content-Length: 4'])}ab`)
    const [release] = await waiting.until((some) => some.length === 1)
    const begun = await connect()
    await begun.send('GET / HTTP/1.1\r\nHost: localhost\r\n')
    const drained = web.drain()
    await begun.send('\r\n')
    const [refused] = await begun.answers(1)
    expect(refused).toMatchObject({ status: 503, headers: { connection: 'close' } })
    expect(problem(refused?.body)).toMatchObject({ retryable: true, code: 'LIMIT_EXCEEDED' })
    release?.()
    await send('cd')
    expect((await answers(1))[0]).toMatchObject({ status: 200, body: '4 bytes' })
    await drained
  })

  it('waits no longer than it may', async () => {
    const { web, connect, waiting } = await server({ drainMs: 100 })
    const { send, closed } = await connect()
    await send(rawRequest('GET /wait'))
    await waiting.until((some) => some.length === 1)
    await web.drain()
    await web.close()
    expect(await closed).toBe('')
  })
})
