import { createHmac } from 'node:crypto'
import sharp from 'sharp'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSink } from '../../../agent/sinks/registry.ts'
import type { OutputSpec } from '../../../schemas/control.ts'
import { conformsToSink, secretWord } from '../../conformance/sink.ts'
import { freePort, hookPeer, tcpPeer } from './peers.ts'
import { dog, give, result, sinkContext } from './surroundings.ts'

type Answer = NonNullable<Parameters<typeof hookPeer>[0]>

async function hook(answer?: Answer) {
  const peer = await hookPeer(answer)
  await peer.start()
  onTestFinished(() => peer.kill())
  return peer
}

const withLogin = (port: number): string => `http://edge:${secretWord}@127.0.0.1:${port}/hook?t=1`
const seqOf = (body: string): number => Number(/"seq":(\d+)/.exec(body)?.[1])

for (const image of [false, true]) {
  conformsToSink(image ? 'http:// with pictures' : 'http://', {
    async working() {
      const { port, arrived } = await hook()
      return {
        spec: { url: withLogin(port), image, secret: secretWord },
        arrived: async (_, count) => (await arrived.until(count)).map(seqOf),
      }
    },
    troubles: {
      'is down': async () => ({
        spec: { url: withLogin(await freePort()), image },
        cause: /cannot send to http:\/\/127.*ECONNREFUSED/,
      }),
      'refuses the password': async () => {
        const { port } = await hook((_, response) => void response.writeHead(401).end())
        return { spec: { url: withLogin(port), image }, cause: /status 401 \(credentials/ }
      },
      fails: async () => {
        const { port } = await hook((_, response) => void response.writeHead(500).end())
        return { spec: { url: withLogin(port), image }, cause: /status 500/ }
      },
      'sends it elsewhere': async () => {
        const headers = { location: 'http://elsewhere.example/x' }
        const { port } = await hook((_, response) => void response.writeHead(307, headers).end())
        return { spec: { url: withLogin(port), image }, cause: /http:\/\/elsewhere\.example/ }
      },
      'says nothing': async () => {
        const peer = await tcpPeer()
        await peer.start()
        onTestFinished(() => peer.kill())
        return {
          spec: { url: withLogin(peer.port), image, timeoutMs: 300 },
          cause: /within 300 ms/,
        }
      },
      'closes midway': async () => {
        const { port } = await hook((_, response) => void response.socket?.destroy())
        return { spec: { url: withLogin(port), image }, cause: /hang up|RESET/ }
      },
      'is killed': async () => {
        const peer = await hook()
        return { spec: { url: withLogin(peer.port), image }, happens: peer.kill, cause: /REFUSED/ }
      },
    },
    forbidden: {
      'the metadata service': () => ({
        spec: { url: `http://edge:${secretWord}@169.254.169.254/latest`, image },
        cause: /metadata.*outputs\.addresses/,
      }),
      "a name of the agent's own port": () => ({
        spec: { url: `http://edge:${secretWord}@localhost:8080/x`, image },
        context: { addresses: { deny: [], allow: [], ownPorts: [8080] } },
        cause: /own port 8080/,
      }),
    },
  })
}

async function open(url: string, spec: Omit<OutputSpec, 'url'> = {}) {
  const { context, told } = sinkContext()
  const sink = createSink({ url, ...spec }, context)
  onTestFinished(() => sink.close())
  await sink.open()
  return { sink, told }
}

describe('http://', () => {
  it('sends JSON, with credentials, a delivery id and a time', async () => {
    const { port, requests } = await hook()
    const { sink } = await open(withLogin(port))
    const before = Date.now()
    await give(sink, result(7))
    const [request] = requests
    expect(JSON.parse(String(request?.body))).toMatchObject({ seq: 7, items: [dog] })
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      authorization: `Basic ${btoa(`edge:${secretWord}`)}`,
      'x-heliograph-delivery': expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    expect(Number(request?.headers['x-heliograph-timestamp'])).toBeGreaterThanOrEqual(before)
    expect(request?.headers).not.toHaveProperty('x-heliograph-signature')
  })

  it.each([false, true])('signs time and body with the secret (picture: %s)', async (image) => {
    const { url, requests } = await hook()
    const { sink } = await open(url, { secret: secretWord, image })
    await give(sink, result(0))
    const [request] = requests
    const { 'x-heliograph-timestamp': time, 'x-heliograph-signature': signature } =
      request?.headers ?? {}
    const expected = createHmac('sha256', secretWord)
      .update(Buffer.concat([Buffer.from(`${time}.`), request?.body ?? Buffer.alloc(0)]))
      .digest('hex')
    expect(signature).toBe(`sha256=${expected}`)
  })

  it('sends the annotated picture as a part of a form', async () => {
    const { url, requests } = await hook()
    const { sink } = await open(url, { image: true })
    await give(sink, result(4))
    const [request] = requests
    const type = String(request?.headers['content-type'])
    const form = await new Response(request?.body, { headers: { 'content-type': type } }).formData()
    expect([...form.keys()]).toEqual(['result', 'image'])
    const sent = form.get('result')
    expect(JSON.parse(sent instanceof Blob ? await sent.text() : String(sent)).seq).toBe(4)
    const image = form.get('image')
    if (!(image instanceof File)) throw new Error('the picture is no file')
    expect([image.name, image.type]).toEqual(['gate-4.jpg', 'image/jpeg'])
    const picture = await sharp(Buffer.from(await image.arrayBuffer())).metadata()
    expect([picture.format, picture.width, picture.height]).toEqual(['jpeg', 160, 120])
  })

  it('loses nothing while the server is away, and says so', async () => {
    const peer = await hookPeer()
    const { sink, told } = await open(peer.url)
    const writes = Array.from({ length: 50 }, (_, seq) => give(sink, result(seq)))
    expect(await told.trouble()).toMatchObject({ code: 'SINK_FAILED', retryable: true })
    await peer.start()
    onTestFinished(() => peer.kill())
    await Promise.all(writes)
    expect(peer.arrived.items.map(seqOf)).toEqual(Array.from({ length: 50 }, (_, seq) => seq))
    expect(told.troubles.at(-1)).toBeUndefined()
    expect(told.losses).toEqual([])
  })

  it('repeats a delivery under its id, signed anew, until the server takes it', async () => {
    const { url, requests } = await hook((_, response, count) => {
      response.writeHead([503, 429, 408][count - 1] ?? 200).end()
    })
    const { sink } = await open(url, { secret: secretWord })
    await give(sink, result(0))
    expect(requests).toHaveLength(4)
    const header = (name: string) => requests.map(({ headers }) => headers[name])
    expect(new Set(header('x-heliograph-delivery')).size).toBe(1)
    expect(new Set(header('x-heliograph-signature')).size).toBe(4)
  })

  it('waits as long as the server asks', async () => {
    const times: number[] = []
    const { url } = await hook((_, response, count) => {
      times.push(performance.now())
      response.writeHead(count === 1 ? 503 : 200, { 'retry-after': '2' }).end()
    })
    const { sink } = await open(url)
    await give(sink, result(0))
    const [first = 0, second = 0] = times
    expect(second - first).toBeGreaterThan(1950)
  })

  it('gives up what the server does not want, and goes on with the next', async () => {
    const { url, requests, arrived } = await hook((_, response, count) => {
      response.writeHead(count === 1 ? 422 : 200).end()
    })
    const { sink, told } = await open(url)
    const refused = give(sink, result(0))
    const next = give(sink, result(1))
    await expect(refused).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringMatching(/given up: .*status 422/),
    })
    await next
    expect(requests).toHaveLength(2)
    expect(arrived.items.map(seqOf)).toEqual([1])
    expect(told.troubles.map((error) => error?.code)).toEqual(['SINK_FAILED', undefined])
  })

  it('uses one connection for many deliveries', async () => {
    const sockets = new Set<unknown>()
    const { url } = await hook((_, response) => {
      sockets.add(response.socket)
      response.writeHead(200).end('thanks')
    })
    const { sink } = await open(url)
    for (let seq = 0; seq < 5; seq += 1) await give(sink, result(seq))
    expect(sockets.size).toBe(1)
  })

  it('reads no more than it must of what the server answers', async () => {
    const { url } = await hook((_, response) => {
      response.writeHead(200)
      const more = (): void => {
        while (response.write(Buffer.alloc(65_536)));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    })
    const { sink } = await open(url)
    await give(sink, result(0))
    await give(sink, result(1))
  })
})
