import { createServer } from 'node:net'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { liveFrames } from '../../../agent/media/frame-count.ts'
import type { ServiceLimits } from '../../../agent/service/messages.ts'
import { createSource } from '../../../agent/sources/registry.ts'
import type { InputSpec } from '../../../schemas/control.ts'
import { conformsToSource } from '../../conformance/source.ts'
import { readAll, smallPicture, sourceContext, witness } from './surroundings.ts'
import { media, webServer, withBytes } from './web-server.ts'

function open(url: string, limits: Partial<ServiceLimits> = {}, spec: Partial<InputSpec> = {}) {
  return createSource({ ...spec, url }, sourceContext(limits))
}

afterEach(() => {
  expect(liveFrames()).toBe(0)
})

conformsToSource('a video over http', async () =>
  open((await webServer(withBytes(media('dog.mp4')))).url),
)
conformsToSource('a looped picture over http', async () =>
  open((await webServer(withBytes(await smallPicture()))).url, {}, { loop: true }),
)

describe('a picture over http', () => {
  it('is one sample', async () => {
    const server = await webServer(withBytes(media('dog.jpg'), { type: 'image/jpeg' }))
    const samples = await readAll(open(`${server.url}/dog.jpg`))
    expect(samples).toMatchObject([{ width: 1280, height: 960 }])
  })

  it('is read whole from a server that gives a part of a range only', async () => {
    const server = await webServer(withBytes(media('dog.jpg'), { most: 10_000 }))
    expect(await readAll(open(server.url))).toMatchObject([{ width: 1280, height: 960 }])
  })

  it('is read anew each time when it loops, as the picture of a camera changes', async () => {
    const server = await webServer(withBytes(media('dog.jpg')))
    await readAll(open(server.url, {}, { loop: true }), witness(), 3)
    expect(server.requests).toHaveLength(3)
  })

  it('is asked for with the credentials of the URL, which no message shows', async () => {
    const server = await webServer((request, response) => {
      const right = `Basic ${Buffer.from('cam:p@ss').toString('base64')}`
      response.statusCode = request.headers.authorization === right ? 200 : 401
      response.end(media('dog.jpg'))
    })
    const address = server.url.replace('://', '://cam:p%40ss@')
    expect(await readAll(open(address))).toHaveLength(1)
    const wrong = readAll(open(`${server.url.replace('://', '://cam:secret@')}/a.jpg?token=hidden`))
    await expect(wrong).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE', retryable: false })
    await expect(wrong).rejects.toThrow(/^(?!.*(secret|hidden)).*401/)
  })

  it.each([
    ['by its announced size', true],
    ['by what comes', false],
  ])('is bounded %s', async (_, announced) => {
    const bytes = media('street.jpg')
    const server = await webServer((_request, response) => {
      if (announced) response.setHeader('content-length', bytes.length)
      if (announced) response.write(bytes.subarray(0, 10_000))
      else response.end(bytes)
    })
    const reading = readAll(open(server.url, { maxDownloadBytes: 100_000 }))
    await expect(reading).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })

  it.each([
    [404, false],
    [403, false],
    [500, true],
    [503, true],
  ])('that answers with status %i is unreachable; retryable: %s', async (status, retryable) => {
    const server = await webServer((_request, response) => {
      response.statusCode = status
      response.end()
    })
    await expect(readAll(open(server.url))).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      retryable,
    })
  })

  it('that refuses the connection is unreachable, and may come back', async () => {
    const probe = createServer()
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
    const { port } = probe.address() as { port: number }
    await new Promise((resolve) => probe.close(resolve))
    await expect(readAll(open(`http://127.0.0.1:${port}/a.jpg`))).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      retryable: true,
    })
  })

  it.each([
    ['before its answer', ''],
    ['in its answer', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc'],
  ])('that falls silent %s is unreachable after the time limit', async (_, begins) => {
    const server = createServer((socket) => socket.write(begins))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as { port: number }
    const startedAt = performance.now()
    const reading = readAll(open(`http://127.0.0.1:${port}/`, {}, { timeoutMs: 150 }))
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE', retryable: true })
    await expect(reading).rejects.toThrow('150 ms')
    expect(performance.now() - startedAt).toBeLessThan(3000)
  })

  it.each([
    ['a compressed answer', { 'content-encoding': 'gzip' }, 'x', 'SOURCE_UNSUPPORTED'],
    [
      'an endless MJPEG stream',
      { 'content-type': 'multipart/x-mixed-replace;boundary=b' },
      'x',
      'SOURCE_UNSUPPORTED',
    ],
    [
      'a playlist',
      { 'content-type': 'video/mp4' },
      '#EXTM3U\nhttp://10.0.0.1/',
      'SOURCE_FORBIDDEN',
    ],
    ['a drawing', { 'content-type': 'image/svg+xml' }, '<svg xmlns="x"/>', 'SOURCE_UNSUPPORTED'],
    [
      'a page without pictures',
      { 'content-type': 'text/html' },
      '<html></html>',
      'SOURCE_UNSUPPORTED',
    ],
    ['a text', { 'content-type': 'text/plain' }, 'hello', 'SOURCE_DECODE'],
  ])('is refused when it is %s', async (_, headers, body, code) => {
    const server = await webServer((_request, response) => {
      response.writeHead(200, { ...headers })
      response.end(body)
    })
    await expect(readAll(open(server.url))).rejects.toMatchObject({ code })
  })
})

describe('redirects', () => {
  it('are followed', async () => {
    const server = await webServer((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: '/dog.jpg' }).end()
      else response.end(media('dog.jpg'))
    })
    expect(await readAll(open(`${server.url}/moved`))).toHaveLength(1)
  })

  it('are followed five times at most', async () => {
    const server = await webServer((_request, response) => {
      response.writeHead(302, { location: '/again' }).end()
    })
    await expect(readAll(open(server.url))).rejects.toThrow(/redirects more than 5 times/)
    expect(server.requests).toHaveLength(6)
  })

  it.each(['http://169.254.169.254/latest/meta-data', 'http://[fe80::1]/', 'file:///etc/passwd'])(
    'do not lead to %s',
    async (location) => {
      const server = await webServer((_request, response) => {
        response.writeHead(302, { location }).end()
      })
      const reading = readAll(open(server.url, {}, { timeoutMs: 500 }))
      await expect(reading).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' })
    },
  )

  it('do not take the credentials to another server', async () => {
    const other = await webServer(withBytes(media('dog.jpg')))
    const server = await webServer((_request, response) => {
      response.writeHead(302, { location: other.url }).end()
    })
    await readAll(open(server.url.replace('://', '://cam:secret@')))
    expect(server.requests[0]?.headers.authorization).toBeDefined()
    expect(other.requests[0]?.headers.authorization).toBeUndefined()
  })
})

describe('addresses', () => {
  it("of the agent's own ports are refused under every name", async () => {
    const server = await webServer(withBytes(media('dog.jpg')))
    const { port } = server
    const addresses = { deny: [], allow: ['127.0.0.0/8'], ownPorts: [port] }
    for (const host of [
      '127.0.0.1',
      '127.9.9.9',
      'localhost',
      '2130706433',
      '0x7f.1',
      '[::ffff:127.0.0.1]',
    ]) {
      const reading = readAll(open(`http://${host}:${port}/a.jpg`, { addresses }))
      await expect(reading).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' })
    }
    expect(server.requests).toHaveLength(0)
  })

  it('are checked after a name was resolved', async () => {
    const server = await webServer(withBytes(media('dog.jpg')))
    const addresses = { deny: ['127.0.0.0/8', '::1/128'], allow: [], ownPorts: [] }
    const reading = readAll(open(`http://localhost:${server.port}/`, { addresses }))
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' })
    await expect(reading).rejects.toThrow(
      /localhost.* leads to (127\.0\.0\.1|::1).*sources\.addresses/,
    )
    expect(server.requests).toHaveLength(0)
  })
})
