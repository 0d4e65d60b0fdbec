import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import WebSocket, { type ClientOptions } from 'ws'
import { attachWebSocket } from '../../broker/websocket.ts'
import { client, disconnected, subscriber, testBroker, texts } from './harness.ts'
import { connectPacket } from './wire.ts'

/** How the server answers an upgrade: the status and, where it refuses, its reason. */
async function upgrade(
  url: string,
  options: ClientOptions = {},
  protocols: string[] = ['mqtt'],
): Promise<{ status: number; body: string }> {
  const socket = new WebSocket(url, protocols, options)
  onTestFinished(() => socket.terminate())
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve({ status: 101, body: socket.protocol }))
    socket.once('error', reject)
    socket.once('unexpected-response', (_request, response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
  })
}

describe('MQTT over WebSocket', () => {
  it('carries small and large messages both ways', async () => {
    const { addresses } = await testBroker()
    const both = await subscriber(addresses.ws, 'a/#', 1)
    const large = 'x'.repeat(1_500_000)
    for (const text of ['small', large, 'last']) {
      await both.mqtt.publishAsync('a/b', text, { qos: 1 })
    }
    await both.inbox.until((messages) => messages.length === 3)
    expect(texts(both.inbox.items)).toEqual(['small', large, 'last'])
  })

  it('takes packets that are cut and joined by messages at will', async () => {
    const { addresses } = await testBroker()
    const socket = new WebSocket(addresses.ws, 'mqtt')
    onTestFinished(() => socket.terminate())
    await once(socket, 'open')
    const ping = Buffer.from([0xc0, 0])
    const bytes = Buffer.concat([connectPacket({ clientId: 'cut' }), ping, ping])
    socket.send(bytes.subarray(0, 5))
    socket.send(bytes.subarray(5))
    let received = Buffer.alloc(0)
    await new Promise<void>((resolve) =>
      socket.on('message', (message: Buffer) => {
        received = Buffer.concat([received, message])
        if (received.length === 8) resolve()
      }),
    )
    expect([...received]).toEqual([0x20, 2, 0, 0, 0xd0, 0, 0xd0, 0])
  })

  it('speaks the subprotocol mqtt, uncompressed', async () => {
    const { addresses } = await testBroker()
    expect(await upgrade(addresses.ws)).toEqual({ status: 101, body: 'mqtt' })
    const socket = new WebSocket(addresses.ws, 'mqtt', { perMessageDeflate: true })
    onTestFinished(() => socket.terminate())
    await once(socket, 'open')
    expect(socket.extensions).toBe('')
  })

  it('refuses those who do not ask for the subprotocol', async () => {
    const { addresses } = await testBroker()
    expect(await upgrade(addresses.ws, {}, ['chat'])).toMatchObject({ status: 400 })
    expect((await upgrade(addresses.ws, {}, [])).body).toContain("subprotocol 'mqtt'")
  })

  it('is at /mqtt and nowhere else', async () => {
    const { addresses } = await testBroker()
    const { status, body } = await upgrade(addresses.ws.replace('/mqtt', '/other'))
    expect(status).toBe(404)
    expect(body).toContain('/mqtt')
    expect((await upgrade(`${addresses.ws}?token=x`)).status).toBe(101)
    expect((await upgrade(addresses.ws.replace('/mqtt', '//'))).status).toBe(404)
  })
})

describe('a web page', () => {
  it('of the same server may connect', async () => {
    const { addresses, ports } = await testBroker()
    const headers = { Host: `localhost:${ports.ws}` }
    const options = { headers, origin: `http://localhost:${ports.ws}` }
    expect((await upgrade(addresses.ws, options)).status).toBe(101)
  })

  it('of another site may not, and is told which setting allows it', async () => {
    const { addresses } = await testBroker()
    const { status, body } = await upgrade(addresses.ws, { origin: 'https://evil.example' })
    expect(status).toBe(403)
    expect(JSON.parse(body)).toMatchObject({
      code: 'NOT_AUTHORIZED',
      detail: "origin 'https://evil.example' is not allowed; list it in http.allowedOrigins",
    })
  })

  it('of a listed site may connect', async () => {
    const { addresses } = await testBroker({ web: { allowedOrigins: ['https://plant.example'] } })
    const options = { origin: 'https://plant.example' }
    expect((await upgrade(addresses.ws, options)).status).toBe(101)
  })

  it('may not come by a name that was pointed at this machine', async () => {
    const { addresses, ports } = await testBroker()
    const host = `rebound.example:${ports.ws}`
    const options = { headers: { Host: host }, origin: `http://${host}` }
    const { status, body } = await upgrade(addresses.ws, options)
    expect(status).toBe(403)
    expect(body).toContain('http.allowedHosts')
  })

  it('may come by a listed name', async () => {
    const { addresses, ports } = await testBroker({ web: { allowedHosts: ['edge.local'] } })
    const host = `edge.local:${ports.ws}`
    const options = { headers: { Host: host }, origin: `http://${host}` }
    expect((await upgrade(addresses.ws, options)).status).toBe(101)
  })
})

describe('attachWebSocket', () => {
  it('leaves other paths and requests to the server it is attached to', async () => {
    const server = createServer((_request, response) => response.end('the dashboard'))
    const attached = attachWebSocket(server, {
      path: '/mqtt',
      trust: { hosts: [], origins: [] },
      maxBytes: 1000,
      accept: (transport) => transport.destroy(),
      refused: () => undefined,
    })
    server.on('upgrade', (incoming, socket) => {
      if (incoming.url === '/live') socket.end('HTTP/1.1 418 Other\r\n\r\n')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    onTestFinished(() => void server.close())

    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('the dashboard')
    const live = request({ port, path: '/live', headers: { Connection: 'Upgrade', Upgrade: 'x' } })
    live.end()
    const [response] = await once(live, 'response')
    expect(response.statusCode).toBe(418)
    attached.close()
    expect(server.listenerCount('upgrade')).toBe(1)
  })

  it('tells an MQTT client over WebSocket that the broker goes away', async () => {
    const broker = await testBroker()
    const one = await client(broker.addresses.ws)
    const closed = disconnected(one)
    await broker.close()
    await closed
  })
})
