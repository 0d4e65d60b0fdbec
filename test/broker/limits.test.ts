import { describe, expect, it } from 'vitest'
import { client, subscriber, testBroker, texts } from './harness.ts'
import {
  acceptedClient,
  connectPacket,
  publishes,
  publishPacket,
  rawClient,
  subscribePacket,
} from './wire.ts'

const session = { clientId: 'session', clean: false }

describe('a subscriber that reads nothing', () => {
  it('loses QoS 0 messages, is kept, and the loss is logged', async () => {
    const broker = await testBroker()
    const stalled = await acceptedClient(broker.ports.mqtt, { clientId: 'stalled' })
    stalled.send(subscribePacket(1, ['pictures/#'], 0))
    await stalled.read(5)
    stalled.socket.pause()
    const picture = Buffer.alloc(256 * 1024)
    let done = false
    function publishMore(): void {
      if (done) return
      broker.bus.publish('pictures/gate', picture, { qos: 1, retain: false })
      setImmediate(publishMore)
    }
    publishMore()
    const [line] = await broker.lines
      .until((lines) => lines.some(({ level }) => level === 'warn'))
      .then((lines) => lines.filter(({ level }) => level === 'warn'))
    done = true
    expect(line?.fields).toMatchObject({
      droppedMessages: { example: 'pictures/gate to stalled' },
    })
    expect(stalled.socket.destroyed).toBe(false)
  })

  it('is disconnected when it asked for QoS 1', async () => {
    const broker = await testBroker()
    const stalled = await acceptedClient(broker.ports.mqtt, { clientId: 'stalled' })
    stalled.send(subscribePacket(1, ['events/#'], 1))
    await stalled.read(5)
    stalled.socket.pause()
    let done = false
    function publishMore(): void {
      if (done) return
      broker.bus.publish('events/gate', Buffer.alloc(64 * 1024), { qos: 1, retain: false })
      setImmediate(publishMore)
    }
    publishMore()
    await broker.lines.until((lines) =>
      lines.some(({ fields }) => 'disconnectedLaggards' in fields),
    )
    done = true
    stalled.socket.resume()
    await stalled.closed
  })
})

describe('a session', () => {
  it('gets in order what it missed, as a repetition only where it was sent before', async () => {
    const { addresses, bus, ports } = await testBroker()
    const first = await acceptedClient(ports.mqtt, session)
    first.send(subscribePacket(1, ['events/#', 'events/gate'], 1))
    await first.read(6)
    const event = { qos: 1, retain: false } as const
    bus.publish('events/gate', '1', event)
    // A header of two bytes, the topic, the packet id, the payload.
    const [flags = 0] = await first.read(2 + 13 + 2 + 1)
    expect(flags & 0x08).toBe(0)
    first.socket.destroy()
    const watcher = await subscriber(addresses.mqtt, 'done')
    bus.publish('events/gate', '2', event)
    await watcher.mqtt.publishAsync('done', 'x', { qos: 1 })

    const second = await acceptedClient(ports.mqtt, session)
    const packets = [await second.read(18), await second.read(18)]
    expect(packets.map((bytes) => String.fromCharCode(bytes.at(-1) ?? 0))).toEqual(['1', '2'])
    expect(packets.map((bytes) => ((bytes[0] ?? 0) & 0x08) !== 0)).toEqual([true, false])
  })

  it('is gone after a connection with clean = 1', async () => {
    const { addresses, bus } = await testBroker()
    const first = await client(addresses.mqtt, session)
    await first.mqtt.subscribeAsync('events/#', { qos: 1 })
    await first.mqtt.endAsync()
    bus.publish('events/gate', 'missed', { qos: 1, retain: false })
    const clean = await client(addresses.mqtt, { ...session, clean: true })
    await clean.mqtt.endAsync()

    const again = await client(addresses.mqtt, session)
    await again.mqtt.subscribeAsync('events/#', { qos: 1 })
    bus.publish('events/gate', 'marker', { qos: 1, retain: false })
    await again.inbox.until((messages) => messages.length > 0)
    expect(texts(again.inbox.items)).toEqual(['marker'])
  })

  it('keeps the oldest messages when its queue is full', async () => {
    const { addresses, bus } = await testBroker({}, { queuedCount: 2 })
    const first = await client(addresses.mqtt, session)
    await first.mqtt.subscribeAsync('events/#', { qos: 1 })
    await first.mqtt.endAsync()
    for (const payload of ['1', '2', '3']) {
      bus.publish('events/gate', payload, { qos: 1, retain: false })
    }
    const second = await client(addresses.mqtt, session)
    await second.inbox.until((messages) => messages.length === 2)
    bus.publish('events/gate', 'marker', { qos: 1, retain: false })
    await second.inbox.until((messages) => messages.length === 3)
    expect(texts(second.inbox.items)).toEqual(['1', '2', 'marker'])
  })

  it('that was not used for longest is given up for a new one', async () => {
    const { addresses, ports } = await testBroker({}, { sessions: 2 })
    for (const clientId of ['one', 'two', 'three']) {
      const one = await client(addresses.mqtt, { clientId, clean: false })
      await one.mqtt.subscribeAsync('a', { qos: 1 })
      await one.mqtt.endAsync()
    }
    const present = await Promise.all(
      ['one', 'two', 'three'].map(async (clientId) => {
        const one = await rawClient(ports.mqtt)
        one.send(connectPacket({ clientId, clean: false }))
        return (await one.read(4))[2]
      }),
    )
    expect(present).toEqual([0, 1, 1])
  })
})

describe('retained messages', () => {
  it('of clients are bounded in number; those of the agent are not', async () => {
    const { addresses, bus } = await testBroker({}, { retainedCount: 2 })
    const sender = await client(addresses.mqtt)
    const kept = { qos: 1, retain: true } as const
    for (const name of ['1', '2', '3']) await sender.mqtt.publishAsync(`x/${name}`, name, kept)
    await sender.mqtt.publishAsync('x/2', '2, changed', kept)
    bus.publish('edge/1/a1/cam/state', 'running', kept)

    const late = await subscriber(addresses.mqtt, '#', 1)
    await late.inbox.until((messages) => messages.length === 3)
    expect(texts(late.inbox.items).sort()).toEqual(['1', '2, changed', 'running'])
  })

  it('of clients are bounded in size', async () => {
    const { addresses } = await testBroker({}, { retainedBytes: 1000 })
    const sender = await client(addresses.mqtt)
    const kept = { qos: 1, retain: true } as const
    await sender.mqtt.publishAsync('x/1', Buffer.alloc(800), kept)
    await sender.mqtt.publishAsync('x/2', Buffer.alloc(800), kept)
    await sender.mqtt.publishAsync('x/1', '', kept)
    await sender.mqtt.publishAsync('x/3', Buffer.alloc(800), kept)
    const late = await subscriber(addresses.mqtt, 'x/+', 0)
    await late.inbox.until((messages) => messages.length === 1)
    expect(late.inbox.items.map(({ topic }) => topic)).toEqual(['x/3'])
  })

  it('arrive all at a slow reader, those that changed meanwhile only as they are now', async () => {
    const { addresses, bus, ports } = await testBroker()
    const topics = Array.from({ length: 3000 }, (_, index) => `edge/1/a1/s${index}/state`)
    // 12 MB: more than the system buffers, and far more than may wait for a reader.
    for (const topic of topics) {
      bus.publish(topic, Buffer.alloc(4000), { qos: 1, retain: true })
    }
    const slow = await acceptedClient(ports.mqtt, { clientId: 'slow' })
    slow.send(subscribePacket(1, ['edge/#'], 0))
    await slow.read(5)
    slow.socket.pause()
    const received = publishes(slow)
    const changed = topics.at(-1) ?? ''
    bus.publish(changed, 'changed', { qos: 0, retain: true })
    const fast = await subscriber(addresses.mqtt, 'edge/#')
    await fast.inbox.until((messages) => messages.length === topics.length)
    slow.socket.resume()

    await received.until((items) => new Set(items.map(({ topic }) => topic)).size === topics.length)
    bus.publish('edge/1/a1/marker', 'x', { qos: 0, retain: false })
    await received.until((items) => items.at(-1)?.topic === 'edge/1/a1/marker')
    expect(received.items).toHaveLength(topics.length + 1)
    expect(received.items).toContainEqual({ topic: changed, retain: false })
  })
})

describe('the broker', () => {
  it('answers one client too many with "server unavailable"', async () => {
    const { addresses, ports } = await testBroker({}, { clients: 1 })
    await client(addresses.mqtt)
    const second = await rawClient(ports.mqtt)
    second.send(connectPacket({ clientId: 'second' }))
    expect((await second.read(4))[3]).toBe(3)
    await second.closed
  })

  it('ends a connection that does not say CONNECT in time', async () => {
    const { ports } = await testBroker({}, { connectMs: 50 })
    const silent = await rawClient(ports.mqtt)
    await silent.closed
  })

  it('refuses filters past the limit and takes them when others are given up', async () => {
    const { addresses } = await testBroker({}, { filtersPerClient: 1 })
    const one = await client(addresses.mqtt)
    await one.mqtt.subscribeAsync('a')
    await expect(one.mqtt.subscribeAsync('b')).rejects.toThrow()
    await one.mqtt.unsubscribeAsync('a')
    await one.mqtt.subscribeAsync('b')
  })

  it('carries out everything that came before the client left', async () => {
    const { ports, addresses } = await testBroker()
    const watcher = await subscriber(addresses.mqtt, 'a', 1)
    const sender = await acceptedClient(ports.mqtt, { clientId: 'sender' })
    const ids = Array.from({ length: 500 }, (_, index) => index + 1)
    sender.send(...ids.map((id) => publishPacket({ topic: 'a', payload: String(id), qos: 1, id })))
    sender.socket.end()
    await watcher.inbox.until((messages) => messages.length === ids.length)
    expect(texts(watcher.inbox.items)).toEqual(ids.map(String))
  })

  it('takes a publish of 2 MiB less its topic', async () => {
    const { ports, addresses } = await testBroker()
    const watcher = await subscriber(addresses.mqtt, 'pictures/#', 1)
    const sender = await acceptedClient(ports.mqtt, { clientId: 'sender' })
    const topic = 'pictures/1'
    const payload = Buffer.alloc((2 << 20) - 2 - topic.length, 'x')
    sender.send(publishPacket({ topic, payload }))
    await watcher.inbox.until((messages) => messages.length === 1)
    expect(watcher.inbox.items[0]?.text).toHaveLength(payload.length)
  })
})
