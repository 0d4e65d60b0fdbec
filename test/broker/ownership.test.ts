import { describe, expect, it } from 'vitest'
import { client, controlTopic, ownTopic, subscriber, testBroker, texts } from './harness.ts'
import { acceptedClient, connectPacket, publishPacket, pubrelPacket, rawClient } from './wire.ts'

const doors = ['mqtt', 'ws'] as const
const levels = [0, 1, 2] as const
const commandTopic = 'edge/1/a1/$cmd/ping'

describe.each(doors)('the broker, over %s', (door) => {
  it.each(
    levels.flatMap((qos) => [
      { qos, retain: false },
      { qos, retain: true },
    ]),
  )('acknowledges, reports and drops a forged state ($qos, retained: $retain)', async (options) => {
    const broker = await testBroker()
    const watcher = await subscriber(broker.addresses.mqtt, '#', 2)
    const forger = await client(broker.addresses[door])

    await forger.mqtt.publishAsync(ownTopic, 'forged', options)
    await forger.mqtt.publishAsync('marker', 'still connected', { qos: options.qos })

    await watcher.inbox.until((messages) => messages.length > 0)
    expect(texts(watcher.inbox.items)).toEqual(['still connected'])
    const [refused] = broker.refusals.items
    expect(refused?.reason).toBe('only the agent publishes on this topic')
    expect(refused?.arrival).toMatchObject({ topic: ownTopic, retained: options.retain })
    expect(Buffer.from(refused?.arrival.payload ?? []).toString()).toBe('forged')
    expect(broker.refusals.items).toHaveLength(1)
    expect(broker.controls.items).toHaveLength(0)
    await expectNothingRetained(broker.addresses.mqtt)
  })

  it.each(levels)('hands over a control message once and forwards it (QoS %i)', async (qos) => {
    const broker = await testBroker()
    const watcher = await subscriber(broker.addresses.mqtt, 'edge/#', 2)
    const caller = await client(broker.addresses[door], { clientId: 'caller' })

    await caller.mqtt.publishAsync(controlTopic, 'file:///a.jpg', { qos })

    const [heard] = await watcher.inbox.until((messages) => messages.length > 0)
    expect(heard).toMatchObject({ topic: controlTopic, text: 'file:///a.jpg', retain: false })
    expect(broker.controls.items).toHaveLength(1)
    expect(broker.controls.items[0]).toMatchObject({
      topic: controlTopic,
      retained: false,
      client: 'caller',
    })
  })

  it.each([controlTopic, commandTopic])('refuses a retained message on %s', async (topic) => {
    const broker = await testBroker()
    const caller = await client(broker.addresses[door])

    await caller.mqtt.publishAsync(topic, '{}', { qos: 1, retain: true })

    expect(broker.refusals.items.map(({ reason }) => reason)).toEqual([
      'control messages must not be retained',
    ])
    expect(broker.controls.items).toHaveLength(0)
    await expectNothingRetained(broker.addresses.mqtt)
  })
})

/** Whoever subscribes to everything afterwards hears the marker first. */
async function expectNothingRetained(url: string): Promise<void> {
  const late = await subscriber(url, '#', 1)
  await late.mqtt.publishAsync('late', 'marker', { qos: 1 })
  await late.inbox.until((messages) => messages.length > 0)
  expect(texts(late.inbox.items)).toEqual(['marker'])
}

describe('the broker', () => {
  it.each(['$SYS/broker/uptime', '$anything', '$share/group/topic'])(
    'refuses a publish on %s',
    async (topic) => {
      const broker = await testBroker()
      const forger = await client(broker.addresses.mqtt)
      await forger.mqtt.publishAsync(topic, 'x', { qos: 2 })
      expect(broker.refusals.items.map(({ arrival }) => arrival.topic)).toEqual([topic])
    },
  )

  it('refuses the topics of other agents, of groups and of replies', async () => {
    const broker = await testBroker()
    const forger = await client(broker.addresses.mqtt)
    const topics = ['edge/1/other/cam/compute', 'edge/1/$all/cam/compute', 'edge/1/$reply/x']
    for (const topic of topics) await forger.mqtt.publishAsync(topic, 'x', { qos: 1 })
    expect(broker.refusals.items.map(({ arrival }) => arrival.topic)).toEqual(topics)
  })

  it('completes the whole QoS 2 handshake of a refused publish', async () => {
    const { ports } = await testBroker()
    const forger = await acceptedClient(ports.mqtt, { clientId: 'forger' })
    forger.send(publishPacket({ topic: ownTopic, qos: 2, id: 7 }))
    expect([...(await forger.read(4))]).toEqual([0x50, 2, 0, 7])
    forger.send(pubrelPacket(7))
    expect([...(await forger.read(4))]).toEqual([0x70, 2, 0, 7])
  })

  it('hands over a QoS 2 control message once, however often it is sent again', async () => {
    const broker = await testBroker()
    const caller = await acceptedClient(broker.ports.mqtt, { clientId: 'caller', clean: false })
    const publish = { topic: controlTopic, qos: 2, id: 9 } as const
    caller.send(publishPacket(publish), publishPacket({ ...publish, dup: true }))
    await caller.read(8)
    caller.socket.destroy()
    const again = await acceptedClient(broker.ports.mqtt, { clientId: 'caller', clean: false })
    again.send(publishPacket({ ...publish, dup: true }), pubrelPacket(9))
    await again.read(8)
    expect(broker.controls.items).toHaveLength(1)

    again.send(publishPacket(publish))
    await again.read(4)
    expect(broker.controls.items).toHaveLength(2)
  })

  it('hands over control messages of different QoS in the order they came', async () => {
    const broker = await testBroker()
    const caller = await acceptedClient(broker.ports.mqtt, { clientId: 'caller' })
    const sent = Array.from({ length: 60 }, (_, index) => ({ id: index + 1, qos: index % 3 }))
    caller.send(
      ...sent.map(({ id, qos }) =>
        publishPacket({ topic: controlTopic, payload: String(id), qos: qos as 0 | 1 | 2, id }),
      ),
    )
    await broker.controls.until((arrivals) => arrivals.length === sent.length)
    const order = broker.controls.items.map(({ payload }) => Number(Buffer.from(payload)))
    expect(order).toEqual(sent.map(({ id }) => id))
  })

  it('reports a Will on an own topic when the client dies, and publishes it to nobody', async () => {
    const broker = await testBroker()
    const watcher = await subscriber(broker.addresses.mqtt, '#', 2)
    const will = { topic: ownTopic, payload: Buffer.from('dead'), qos: 1, retain: true }
    const forger = await acceptedClient(broker.ports.mqtt, { clientId: 'forger', will })
    forger.socket.destroy()
    const [refused] = await broker.refusals.until((refusals) => refusals.length > 0)
    expect(refused?.arrival).toMatchObject({ topic: ownTopic, client: 'forger', retained: true })

    await watcher.mqtt.publishAsync('marker', 'after the Will', { qos: 1 })
    await watcher.inbox.until((messages) => messages.length > 0)
    expect(texts(watcher.inbox.items)).toEqual(['after the Will'])
    await expectNothingRetained(broker.addresses.mqtt)
  })

  it('takes a Will on a control topic as a control message', async () => {
    const broker = await testBroker()
    const will = { topic: 'edge/1/a1/cam/compute', payload: Buffer.from('stop') }
    const caller = await acceptedClient(broker.ports.mqtt, { clientId: 'caller', will })
    caller.socket.destroy()
    const [arrival] = await broker.controls.until((arrivals) => arrivals.length > 0)
    expect(arrival).toMatchObject({ topic: will.topic, client: 'caller' })
  })

  it.each([{ topic: '#' }, { topic: 'a/+/b' }, { topic: '' }, { topic: 'a', qos: 3 }])(
    'refuses a connection whose Will could never be published (%o)',
    async (will) => {
      const broker = await testBroker()
      const stranger = await rawClient(broker.ports.mqtt)
      stranger.send(connectPacket({ clientId: 'stranger', will }))
      await stranger.closed
    },
  )

  it.each(['$share/group/a', '$anything', '$'])('refuses the filter %s', async (filter) => {
    const { addresses } = await testBroker()
    const watcher = await client(addresses.mqtt)
    await expect(watcher.mqtt.subscribeAsync(filter)).rejects.toThrow()
  })

  it('grants $SYS, and tells nothing of other clients there', async () => {
    const { addresses } = await testBroker()
    const watcher = await subscriber(addresses.mqtt, '$SYS/#', 1)
    await watcher.mqtt.subscribeAsync('marker')
    const other = await subscriber(addresses.mqtt, 'a')
    await other.mqtt.publishAsync('marker', 'x', { qos: 1 })
    await watcher.inbox.until((messages) => messages.length > 0)
    expect(texts(watcher.inbox.items)).toEqual(['x'])
  })
})
