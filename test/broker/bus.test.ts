import { describe, expect, it } from 'vitest'
import type { Arrival } from '../../agent/core/bus.ts'
import { client, controlTopic, inbox, ownTopic, subscriber, testBroker, texts } from './harness.ts'

function text(arrival: Arrival | undefined): string {
  return Buffer.from(arrival?.payload ?? []).toString()
}

describe('the bus', () => {
  it.each([0, 1] as const)('publishes to clients with QoS %i', async (qos) => {
    const { bus, addresses } = await testBroker()
    const watcher = await subscriber(addresses.mqtt, 'edge/1/a1/#', 2)
    bus.publish(ownTopic, Buffer.from('{"state":"running"}'), { qos, retain: false })
    const [message] = await watcher.inbox.until((messages) => messages.length > 0)
    expect(message).toEqual({ topic: ownTopic, text: '{"state":"running"}', retain: false, qos })
  })

  it('tells later subscribers the last retained message, and nothing once it is cleared', async () => {
    const { bus, addresses } = await testBroker()
    const retained = { qos: 1, retain: true } as const
    bus.publish(ownTopic, 'starting', retained)
    bus.publish(ownTopic, 'running', retained)
    bus.publish('edge/1/a1/cam/model', 'x', retained)
    bus.publish('edge/1/a1/cam/model', '', retained)

    const late = await subscriber(addresses.mqtt, 'edge/#', 1)
    bus.publish('edge/1/a1/cam/event/gate', 'marker', { qos: 1, retain: false })
    await late.inbox.until((messages) => messages.some(({ text: last }) => last === 'marker'))
    expect(late.inbox.items).toContainEqual({
      topic: ownTopic,
      text: 'running',
      retain: true,
      qos: 1,
    })
    expect(late.inbox.items).toHaveLength(2)
  })

  it('tells a subscriber of two filters that match one topic once', async () => {
    const { bus, addresses } = await testBroker()
    const watcher = await subscriber(addresses.mqtt, 'edge/#', 1)
    await watcher.mqtt.subscribeAsync('edge/1/a1/cam/state', { qos: 1 })
    bus.publish(ownTopic, 'once', { qos: 1, retain: false })
    bus.publish(ownTopic, 'end', { qos: 1, retain: false })
    await watcher.inbox.until((messages) => messages.at(-1)?.text === 'end')
    expect(texts(watcher.inbox.items)).toEqual(['once', 'end'])
  })

  it('hears what clients publish on a filter, itself not, until it is told to stop', async () => {
    const { bus, addresses } = await testBroker()
    const heard = inbox<Arrival>()
    const stop = bus.subscribe('factory/+', heard.add)
    const camera = await client(addresses.mqtt, { clientId: 'camera' })
    bus.publish('factory/1', 'own', { qos: 0, retain: false })
    await camera.mqtt.publishAsync('factory/1/more', 'too deep', { qos: 2 })
    await camera.mqtt.publishAsync('factory/1', 'picture', { qos: 2 })
    const [arrival] = await heard.until((arrivals) => arrivals.length > 0)
    expect(arrival).toMatchObject({ topic: 'factory/1', client: 'camera', retained: false })
    expect(text(arrival)).toBe('picture')

    stop()
    await camera.mqtt.publishAsync('factory/1', 'after', { qos: 2 })
    expect(heard.items).toHaveLength(1)
  })

  it('hears what clients had left retained on a filter', async () => {
    const { bus, addresses } = await testBroker()
    const camera = await client(addresses.mqtt, { clientId: 'camera' })
    await camera.mqtt.publishAsync('factory/1', 'picture', { qos: 2, retain: true })
    const heard = inbox<Arrival>()
    bus.subscribe('factory/#', heard.add)
    const [arrival] = await heard.until((arrivals) => arrivals.length > 0)
    expect(arrival).toMatchObject({ topic: 'factory/1', client: 'camera', retained: true })
  })

  it('survives a taker that throws', async () => {
    const { bus, addresses, controls, lines } = await testBroker()
    bus.onControl(() => {
      throw new Error('a fault in the taker')
    })
    bus.subscribe('factory/#', () => {
      throw new Error('a fault in the taker')
    })
    const caller = await client(addresses.mqtt)
    await caller.mqtt.publishAsync('factory/1', 'x', { qos: 2 })
    await caller.mqtt.publishAsync(controlTopic, 'x', { qos: 2 })
    expect(controls.items).toHaveLength(1)
    expect(lines.items.filter(({ level }) => level === 'error')).toHaveLength(2)
  })

  it('answers a control message from within its taker', async () => {
    const { bus, addresses } = await testBroker()
    const caller = await subscriber(addresses.mqtt, 'edge/1/$reply/me', 1)
    bus.onControl(() => bus.publish('edge/1/$reply/me', 'done', { qos: 1, retain: false }))
    await caller.mqtt.publishAsync(controlTopic, 'x', { qos: 1 })
    await caller.inbox.until((messages) => messages.length > 0)
    expect(texts(caller.inbox.items)).toEqual(['done'])
  })
})
