import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { crc32, deflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AgentUnderTest, media, startAgentUnderTest } from './agent-under-test.ts'
import { undocumented } from './documented-statuses.ts'
import { type WebCaller, webCaller } from './web-caller.ts'

const MB = 1_000_000
const maxUploadBytes = 320 * MB

describe('uploads that are too much', () => {
  let agent: AgentUnderTest
  let call: WebCaller
  let jpeg: Uint8Array<ArrayBuffer>

  beforeAll(async () => {
    agent = await startAgentUnderTest({ 'http.maxUploadBytes': String(maxUploadBytes) })
    call = webCaller(agent.running)
    await call('POST', '/services', { service: 'door' })
    jpeg = new Uint8Array(await readFile(media('dog.jpg')))
    await stillWorks()
  }, 60_000)
  afterAll(() => agent.stop())

  async function stillWorks(): Promise<void> {
    const { status, body } = await post(jpeg)
    expect({ status, body }).toMatchObject({ status: 200, body: { kind: 'detections' } })
    expect(await readdir(join(agent.dataFolder, 'uploads'))).toEqual([])
  }

  async function post(body: Uint8Array<ArrayBuffer>) {
    const response = await fetch(`${agent.running.addresses.http}/compute`, {
      method: 'POST',
      body,
    })
    return { status: response.status, body: jsonOf(await response.text()) }
  }

  /** Sends chunks without a length until the server has enough of them; its answer, and what was sent. */
  async function stream(chunks: Iterable<Buffer>) {
    const sending = request(`${agent.running.addresses.http}/compute`, { method: 'POST' })
    let sent = 0
    const body = Readable.from(chunks).on('data', (chunk: Buffer) => {
      sent += chunk.length
    })
    body.pipe(sending)
    sending.on('error', () => undefined)
    const [response] = await once(sending, 'response')
    const text = Buffer.concat(await response.toArray()).toString()
    body.destroy()
    return {
      status: response.statusCode,
      text,
      sent: () => sent,
      closed: once(response.socket, 'close'),
    }
  }

  it('a video of 300 MB takes no memory of the main process', async () => {
    const clip = await readFile(media('dog.mp4'))
    const before = process.memoryUsage().rss
    let most = 0
    function* chunks() {
      yield clip
      // A box that players skip (ISO/IEC 14496-12, 8.1.2).
      const head = Buffer.alloc(8)
      head.writeUInt32BE(8 + 300 * MB)
      head.write('free', 4)
      yield head
      const block = Buffer.alloc(MB / 4)
      for (let at = 0; at < 1200; at++) {
        most = Math.max(most, process.memoryUsage().rss)
        yield block
      }
    }
    const sending = request(`${agent.running.addresses.http}/compute`, {
      method: 'POST',
      headers: { accept: 'application/x-ndjson' },
    })
    Readable.from(chunks()).pipe(sending)
    sending.on('error', () => undefined)
    const [response] = await once(sending, 'response')
    const [first] = await once(response, 'data')
    expect(JSON.parse(String(first).split('\n')[0] ?? '')).toMatchObject({ seq: 0, width: 1280 })
    response.destroy()
    // The sender lives in this process, too, and V8 leaves up to 70 MB lying before it collects.
    expect(most - before).toBeLessThan(150 * MB)
    await expect.poll(() => readdir(join(agent.dataFolder, 'uploads'))).toEqual([])
    await stillWorks()
  }, 60_000)

  it('a body without an end is cut off, and its connection closed', async () => {
    function* forever() {
      for (;;) yield Buffer.alloc(MB)
    }
    const { status, text, sent, closed } = await stream(forever())
    expect([status, jsonOf(text).code]).toEqual([413, 'LIMIT_EXCEEDED'])
    await closed
    expect(sent()).toBeLessThan(maxUploadBytes + 50 * MB)
    await stillWorks()
  }, 60_000)

  it.each([
    ['a picture of 900 megapixels in 110 kB', () => png(30_000, 30_000)],
    ['a picture that claims more than there can be', () => png(2 ** 31 - 1, 2 ** 31 - 1, 0)],
    ['a picture of 100 megapixels', () => png(10_000, 10_000)],
  ])('%s is refused before it is decoded', async (_, make) => {
    const { status, body } = await post(make())
    expect([422, 413]).toContain(status)
    expect(['LIMIT_EXCEEDED', 'SOURCE_DECODE', 'SOURCE_UNSUPPORTED']).toContain(body.code)
    await stillWorks()
  })

  it('compressed bodies are not unpacked', async () => {
    const response = await fetch(`${agent.running.addresses.http}/compute`, {
      method: 'POST',
      headers: { 'content-encoding': 'gzip' },
      body: jpeg,
    })
    expect(response.status).toBe(415)
    await stillWorks()
  })

  it('are answered only by statuses that the OpenAPI document names', async () => {
    expect(await undocumented(agent.running.addresses.http)).toEqual([])
  })
})

/** Whatever JSON holds: the wire is what is tested. */
const jsonOf = (text: string): ReturnType<typeof JSON.parse> => JSON.parse(text)

/** A black PNG of one bit per pixel. @param rows how many of them are there */
function png(width: number, height: number, rows = height): Uint8Array<ArrayBuffer> {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([1, 0, 0, 0, 0], 8)
  const pixels = deflateSync(Buffer.alloc((1 + Math.ceil(width / 8)) * rows), { level: 9 })
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const chunks = [chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]
  return new Uint8Array(Buffer.concat([signature, ...chunks]))
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}
