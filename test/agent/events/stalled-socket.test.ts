import { once } from 'node:events'
import { Session } from 'node:inspector/promises'
import { connect, type Socket } from 'node:net'
import Fastify from 'fastify'
import { expect, it, onTestFinished } from 'vitest'
import { inbox } from '../../broker/harness.ts'
import { watched } from './watched.ts'

const MiB = 1 << 20
/** About 4 KiB each, in portions that the history holds. */
const text = 'x'.repeat(4000)
const PORTION = 32

/** An event stream over a real socket, as the HTTP interface sends it. */
async function served() {
  const { log, flow, event } = watched({ historyBytes: 256 * 1024 })
  const app = Fastify()
  app.get('/', (_request, reply) => reply.type('text/event-stream').send(log.open({})))
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => {
    log.close()
    app.server.closeAllConnections()
    return app.close()
  })
  return { log, flow, event, port: Number(new URL(address).port) }
}

/** A client that reads no sooner than it is told to. */
async function stalledClient(port: number): Promise<{ socket: Socket; heard(): string }> {
  const socket = connect(port, '127.0.0.1')
  let heard = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    heard += chunk
  })
  socket.on('error', () => undefined)
  socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  await expect.poll(() => heard).toContain('retry: 1000')
  socket.pause()
  return { socket, heard: () => heard }
}

/** A client that reads, and counts. */
async function quickClient(port: number) {
  const response = await fetch(`http://127.0.0.1:${port}/`)
  const counts = inbox<number>()
  let total = 0
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder()
    let rest = ''
    for await (const bytes of response.body ?? []) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      total += lines.filter((line) => line.startsWith('event: ')).length
      counts.add(total)
    }
  }
  void read().catch(() => undefined)
  return {
    get total() {
      return total
    },
    has: (count: number) => counts.until(() => total >= count),
  }
}

/** What this process occupies without its garbage, of which V8 leaves any amount lying. */
async function heldBytes(): Promise<number> {
  const session = new Session()
  session.connect()
  await session.post('HeapProfiler.collectGarbage')
  session.disconnect()
  return process.memoryUsage().rss
}

it('a socket that nobody reads costs no memory and slows nobody, and is told what it lost', async () => {
  const { log, flow, port } = await served()
  const { socket, heard } = await stalledClient(port)
  const quick = await quickClient(port)
  let published = 0
  const publishMiB = async (amount: number): Promise<void> => {
    const until = published + (amount * MiB) / text.length
    while (published < until) {
      for (let count = 0; count < PORTION; count += 1) {
        flow('door/detections/gate', { seq: published, text })
        published += 1
      }
      await quick.has(published)
    }
  }
  await publishMiB(20)
  expect(log.counts.dropped).toBeGreaterThan(0)
  const before = await heldBytes()
  await publishMiB(100)
  // What was collected is freed a little later, by another thread.
  await expect.poll(async () => (await heldBytes()) - before).toBeLessThan(50 * MiB)
  expect(quick.total).toBe(published)
  socket.resume()
  await expect.poll(() => heard().includes(`"seq":${published - 1},`)).toBe(true)
  const lost = [...heard().matchAll(/event: dropped\ndata: \{"count":(\d+)\}/g)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  )
  const got = [...heard().matchAll(/event: detections\n/g)].length
  expect(lost).toBe(log.counts.dropped)
  expect(got + lost).toBe(published)
}, 60_000)

it('a socket that nobody reads is closed before it loses what must not be lost', async () => {
  const { log, event, port } = await served()
  const { socket, heard } = await stalledClient(port)
  const quick = await quickClient(port)
  let published = 0
  while (log.counts.closed === 0 && published < 50_000) {
    for (let count = 0; count < PORTION; count += 1) event('door/event/gate', { published, text })
    published += PORTION
    await quick.has(published)
  }
  expect([log.counts, quick.total]).toEqual([{ open: 1, dropped: 0, closed: 1 }, published])
  socket.resume()
  await once(socket, 'close')
  const ids = [...heard().matchAll(/id: 0badcafe:(\d+)\nevent/g)].map(([, seq]) => Number(seq))
  expect(ids.length).toBeGreaterThan(100)
  expect(ids).toEqual(ids.map((_, index) => index + 1))
}, 60_000)
