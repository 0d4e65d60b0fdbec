import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import WebSocket from 'ws'
import { client, disconnected, ownTopic, subscriber, testBroker, texts } from './harness.ts'
import { acceptedClient, connectPacket, rawClient, subscribePacket } from './wire.ts'

describe('closing the broker', () => {
  it('disconnects everyone within a second, those who do not cooperate too', async () => {
    const broker = await testBroker()
    const { addresses, ports, bus } = broker
    const overTcp = await client(addresses.mqtt)
    const overWebSocket = await client(addresses.ws)
    const silent = await rawClient(ports.mqtt)
    const halfway = await rawClient(ports.mqtt)
    halfway.send(connectPacket({ clientId: 'halfway' }).subarray(0, 4))
    const stalled = await acceptedClient(ports.mqtt, { clientId: 'stalled' })
    stalled.send(subscribePacket(1, ['#'], 1))
    await stalled.read(5)
    stalled.socket.pause()
    const stalledWebSocket = new WebSocket(addresses.ws, 'mqtt')
    onTestFinished(() => stalledWebSocket.terminate())
    await once(stalledWebSocket, 'open')
    stalledWebSocket.pause()
    const http = connect(ports.ws, '127.0.0.1')
    http.on('error', () => undefined)
    await once(http, 'connect')
    for (let count = 0; count < 100; count += 1) {
      bus.publish('large', Buffer.alloc(100_000), { qos: 0, retain: false })
    }
    const closed = [overTcp, overWebSocket].map(disconnected)

    const began = performance.now()
    await broker.close()
    expect(performance.now() - began).toBeLessThan(1000)
    await Promise.all([...closed, silent.closed, halfway.closed, once(http, 'close')])
  })

  it('frees both ports', async () => {
    const first = await testBroker()
    await client(first.addresses.mqtt)
    await client(first.addresses.ws)
    await first.close()
    const web = { port: first.ports.ws }
    const second = await testBroker({ port: first.ports.mqtt, web })
    expect(second.ports).toEqual(first.ports)
  })

  it('delivers what was published just before', async () => {
    const broker = await testBroker()
    const watchers = [
      await subscriber(broker.addresses.mqtt, 'edge/#', 1),
      await subscriber(broker.addresses.ws, 'edge/#', 1),
    ]
    broker.bus.publish(ownTopic, 'disconnected', { qos: 1, retain: true })
    const closed = watchers.map(disconnected)
    await broker.close()
    await Promise.all(closed)
    for (const { inbox } of watchers) expect(texts(inbox.items)).toEqual(['disconnected'])
  })

  it('publishes no Wills: nobody died', async () => {
    const broker = await testBroker()
    const will = { topic: 'edge/1/a1/cam/compute', payload: Buffer.from('stop') }
    await acceptedClient(broker.ports.mqtt, { clientId: 'caller', will })
    await broker.close()
    expect(broker.controls.items).toHaveLength(0)
  })

  it('may be asked for twice, and leaves a bus that does nothing', async () => {
    const broker = await testBroker()
    await Promise.all([broker.close(), broker.close()])
    await broker.close()
    broker.bus.publish(ownTopic, 'x', { qos: 1, retain: true })
    broker.bus.subscribe('a', () => undefined)()
  })
})
