import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { undocumented } from '../../e2e/documented-statuses.ts'
import { type RawConnection, rawConnection, rawRequest } from '../../raw-connection.ts'
import { type AgentProcess, agentProcess } from './agent-process.ts'

let agent: AgentProcess
beforeAll(async () => {
  agent = await agentProcess([
    'http.limits.headersMs=1000',
    'http.limits.bodyStallMs=1000',
    'http.limits.bodyBytesPerSecond=1000',
    'http.limits.connectionsPerAddress=50',
    'http.limits.readsPerSecond=30',
    'http.limits.changesPerSecond=30',
  ])
})
afterAll(() => agent.stop())

const connect = () => rawConnection(agent.httpPort)
const chunked = ['Transfer-Encoding: chunked']
const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0)

/** Sends `bytes` again and again, as fast as it is taken, until the other side has closed. @returns bytes sent */
async function pour({ socket, send }: RawConnection, bytes: Buffer): Promise<number> {
  const before = socket.bytesWritten
  while (socket.writable && !socket.destroyed) await send(bytes)
  return socket.bytesWritten - before
}

/** Sends `text` every 50 ms until the other side has closed. */
function trickle({ socket }: RawConnection, text: string): void {
  const timer = setInterval(() => socket.writable && socket.write(text), 50)
  onTestFinished(() => clearInterval(timer))
}

/** The attack, after which others are served and not much is kept. */
async function survived(attack: () => Promise<void>, mostMb = 40): Promise<void> {
  const before = await agent.heldMb()
  await attack()
  await expect
    .poll(() => agent.serves().then(() => 'served', String), { timeout: 5000 })
    .toBe('served')
  // What was collected is freed a little later, by another thread.
  const more = async () => (await agent.heldMb()) - before
  await expect.poll(more, { timeout: 5000 }).toBeLessThan(mostMb)
}

describe('a body', () => {
  /** Of these: `http.limits.bodyBytes`, what lingers, and what lies in the kernel's buffers. */
  const MOST_TAKEN = 100 << 20
  const megabyte = Buffer.concat([
    Buffer.from('100000\r\n'),
    Buffer.alloc(1 << 20, 'x'),
    Buffer.from('\r\n'),
  ])

  it.each([
    ['of endless chunks', 'PUT /services/a', 413],
    ['of endless chunks to where nothing is', 'PUT /nowhere', 413],
    ['of endless chunks to where none is read', 'GET /nowhere', 404],
  ])('%s is answered, and the connection closed', async (_, line, status) => {
    await survived(async () => {
      const one = await connect()
      await one.send(rawRequest(line, chunked))
      expect(await pour(one, megabyte)).toBeLessThan(MOST_TAKEN)
      expect(statusOf(await one.closed)).toBe(status)
    })
  })

  it('that is announced as 1 TB is refused before it comes', async () => {
    await survived(async () => {
      const { send, closed, answers } = await connect()
      await send(rawRequest('PUT /services/a', ['Content-Length: 1099511627776']))
      expect((await answers(1))[0]).toMatchObject({ status: 413, headers: { connection: 'close' } })
      await closed
    })
  })

  it('that trickles is refused', async () => {
    await survived(async () => {
      const one = await connect()
      await one.send(rawRequest('PUT /services/a', chunked))
      trickle(one, '1\r\nx\r\n')
      expect(statusOf(await one.closed)).toBe(408)
    })
  })

  it('of one-byte chunks is refused soon', async () => {
    await survived(async () => {
      const one = await connect()
      await one.send(rawRequest('PUT /services/a', chunked))
      await pour(one, Buffer.from('1\r\nx\r\n'.repeat(50_000)))
      expect(statusOf(await one.closed)).toBe(413)
    })
  })
})

describe('a head', () => {
  it.each([
    ['that trickles', 'X-A: b\r\n', 408],
    ['of nothing but line ends', '\r\n', 408],
  ])('%s is given up', async (_, text, status) => {
    await survived(async () => {
      const one = await connect()
      if (text !== '\r\n') await one.send('GET /info HTTP/1.1\r\nHost: localhost\r\n')
      trickle(one, text)
      expect(statusOf(await one.closed)).toBe(status)
    })
  })

  it('that never begins is given up', async () => {
    await survived(async () => {
      const { closed } = await connect()
      expect(statusOf(await closed)).toBe(408)
    })
  })
})

describe('a flood', () => {
  it('of requests is answered by 429 beyond the limit, which says when to come back', async () => {
    await survived(async () => {
      const { send, answers } = await connect()
      await send(rawRequest('GET /ping').repeat(60))
      const all = await answers(60)
      expect(all.filter(({ status }) => status !== 200 && status !== 429)).toEqual([])
      const late = all.find(({ status }) => status === 429)
      expect(Number(late?.headers['retry-after'])).toBeGreaterThanOrEqual(1)
      expect(JSON.parse(late?.body ?? '')).toMatchObject({
        code: 'LIMIT_EXCEEDED',
        retryable: true,
        detail: expect.stringContaining('http.limits.readsPerSecond (30)'),
      })
    })
  })

  it('of changes leaves reading possible', async () => {
    await survived(async () => {
      await expect.poll(() => agent.serves().then(() => 'served', String)).toBe('served')
      const { send, answers } = await connect()
      await send(rawRequest('PUT /input', ['Content-Length: 0']).repeat(60))
      expect((await answers(60)).map(({ status }) => status)).toContain(429)
      await agent.serves()
    })
  })

  it('of requests that lead nowhere is limited, too', async () => {
    await survived(async () => {
      const { send, answers } = await connect()
      await send(rawRequest('GET /nowhere').repeat(60))
      expect((await answers(60)).map(({ status }) => status)).toContain(429)
    })
  })

  it('of 20,000 requests at once on one connection ends it', async () => {
    await survived(async () => {
      const { send, closed } = await connect()
      const sent = send(rawRequest('GET /ping').repeat(20_000))
      const text = await closed
      expect(text.match(/HTTP\/1\.1 \d{3} /g)?.length).toBeLessThanOrEqual(65)
      await sent
    })
  })

  it('of connections is cut at the limit', async () => {
    await survived(async () => {
      const all = await Promise.all(Array.from({ length: 100 }, connect))
      const ended = await Promise.all(all.map(({ closed }) => closed))
      const refused = ended.filter((text) => statusOf(text) === 503)
      expect(refused.length).toBeGreaterThanOrEqual(50)
      expect(refused.length).toBeLessThan(60)
      expect(refused[0]).toContain('http.limits.connectionsPerAddress (50)')
    })
  })

  it('of clients that read nothing keeps nothing', async () => {
    await survived(async () => {
      const { socket, send } = await connect()
      socket.pause()
      const sent = send(rawRequest('GET /info').repeat(20_000))
      const other = await connect()
      await other.send(rawRequest('GET /ping'))
      expect([200, 429]).toContain((await other.answers(1))[0]?.status)
      socket.destroy()
      await sent
    })
  })
})

it('only statuses were answered that the OpenAPI document names', async () => {
  await expect.poll(() => undocumented(`http://127.0.0.1:${agent.httpPort}`)).toEqual([])
})
