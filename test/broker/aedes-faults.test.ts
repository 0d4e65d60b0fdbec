import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { Aedes, type AedesOptions } from 'aedes'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Limits } from '../../broker/limits.ts'
import { client, subscriber, testBroker, texts } from './harness.ts'
import {
  acceptedClient,
  connectPacket,
  pingPacket,
  publishes,
  publishPacket,
  rawClient,
  subscribePacket,
} from './wire.ts'

/*
 * Each fault of Aedes 1.2.0 that this broker mends: the same story told to plain Aedes and to the
 * broker. When one of the first kind fails, Aedes has mended it itself and ours can go.
 */

interface Subject {
  readonly port: number
  readonly url: string
  /** Publishes in process. */
  publish(topic: string, payload: string, options: { qos: 0 | 1; retain: boolean }): void
}

async function plainAedes(options: AedesOptions = {}): Promise<Subject> {
  const aedes = await Aedes.createBroker(options)
  const server = createServer(aedes.handle).listen(0, '127.0.0.1')
  onTestFinished(() => {
    aedes.close()
    server.close()
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    publish: (topic, payload, { qos, retain }) =>
      aedes.publish({ cmd: 'publish', dup: false, topic, payload, qos, retain }, () => undefined),
  }
}

async function ours(limits: Partial<Limits> = {}): Promise<Subject> {
  const { ports, addresses, bus } = await testBroker({}, limits)
  return { port: ports.mqtt, url: addresses.mqtt, publish: bus.publish }
}

const retainedAndNot = Array.from({ length: 200 }, (_, index) => ({
  topic: `mixed/${index}`,
  retain: index % 2 === 0,
}))

/** QoS 1 and QoS 0 in turn. */
function fromWithin({ publish }: Subject): void {
  for (const { topic, retain } of retainedAndNot)
    publish(topic, 'x', { qos: retain ? 1 : 0, retain })
}

/** All of QoS 0, in one piece. */
async function fromClient({ port }: Subject): Promise<void> {
  const sender = await acceptedClient(port, { clientId: 'sender' })
  sender.send(...retainedAndNot.map((message) => publishPacket(message)), pingPacket)
  await sender.read(pingPacket.length)
}

describe.each([
  { from: 'the agent', send: fromWithin },
  { from: 'a client', send: fromClient },
])('messages of several kinds from $from', ({ send }) => {
  /** How many arrive, once each, before one that was sent after them. */
  async function arrivals(subject: Subject): Promise<number> {
    const watcher = await subscriber(subject.url, 'mixed/#', 1)
    await send(subject)
    const other = await client(subject.url)
    await other.mqtt.publishAsync('mixed/end', 'end', { qos: 1 })
    await watcher.inbox.until((messages) => messages.at(-1)?.text === 'end')
    return watcher.inbox.items.length - 1
  }
  it('are lost by plain Aedes', async () => {
    expect(await arrivals(await plainAedes())).toBeLessThan(retainedAndNot.length)
  })
  it('all arrive', async () => {
    expect(await arrivals(await ours())).toBe(retainedAndNot.length)
  })
})

/**
 * How many of 400 messages of 32 KiB, four at a time, a healthy subscriber gets while another one
 * reads nothing, unless `freezes` comes first.
 */
async function besideStalled(
  { port }: Subject,
  freezes = new Promise<void>(() => undefined),
): Promise<number> {
  const [stalled, healthy, sender] = await Promise.all(
    ['stalled', 'healthy', 'sender'].map((clientId) => acceptedClient(port, { clientId })),
  )
  if (!stalled || !healthy || !sender) throw new Error('no clients')
  for (const one of [stalled, healthy]) {
    one.send(subscribePacket(1, ['pictures/#'], 0))
    await one.read(5)
  }
  stalled.socket.pause()
  const received = publishes(healthy)
  const picture = publishPacket({ topic: 'pictures/gate', payload: Buffer.alloc(32 * 1024) })
  let frozen = false
  void freezes.then(() => {
    frozen = true
  })
  for (let count = 4; count <= 400 && !frozen; count += 4) {
    sender.send(picture, picture, picture, picture)
    await Promise.race([received.until((items) => items.length === count), freezes])
  }
  return received.items.length
}

describe('a subscriber that reads nothing', () => {
  it('freezes the others on plain Aedes', async () => {
    expect(await besideStalled(await plainAedes(), setTimeout(2000))).toBeLessThan(400)
  })
  it('does not hold up anyone', async () => {
    expect(await besideStalled(await ours())).toBe(400)
  })
})

/** What a session gets later of a refused filter that stood beside an allowed one. */
async function refusedFilter({ url }: Subject): Promise<string[]> {
  const session = { clientId: 'session', clean: false }
  const first = await client(url, session)
  const [granted, refused] = await first.mqtt
    .subscribeAsync(['allowed/#', 'refused/#'], { qos: 1 })
    .then(
      (grants) => grants.map(({ qos }) => qos as number),
      () => [1, 128],
    )
  expect([granted, refused]).toEqual([1, 128])
  await first.mqtt.endAsync()
  const sender = await client(url)
  await sender.mqtt.publishAsync('refused/1', 'refused', { qos: 1 })
  await sender.mqtt.publishAsync('allowed/1', 'allowed', { qos: 1 })
  const second = await client(url, session)
  await second.inbox.until((messages) => texts(messages).includes('allowed'))
  return texts(second.inbox.items)
}

describe('a refused filter in the SUBSCRIBE of a session', () => {
  it('is stored by plain Aedes', async () => {
    const plain = await plainAedes({
      authorizeSubscribe: (_client, subscription, done) =>
        done(null, subscription.topic.startsWith('refused') ? null : subscription),
    })
    expect(await refusedFilter(plain)).toEqual(['refused', 'allowed'])
  })
  it('is not stored', async () => {
    expect(await refusedFilter(await ours({ filtersPerClient: 1 }))).toEqual(['allowed'])
  })
})

/** Whether a client that sends this is still connected afterwards. */
async function survives({ port }: Subject, ...packets: Buffer[]): Promise<boolean> {
  const stranger = await rawClient(port)
  stranger.send(...packets, pingPacket)
  const answered = stranger.read(1).then(() => true)
  return Promise.race([answered, stranger.closed.then(() => false)])
}

describe.each([
  {
    name: 'a CONNECT of 20 KiB',
    packets: [
      connectPacket({ clientId: 'x', will: { topic: 'a', payload: Buffer.alloc(20 * 1024) } }),
    ],
  },
  {
    name: 'a Will of QoS 3',
    packets: [connectPacket({ clientId: 'x', will: { topic: 'a', qos: 3 } })],
  },
  {
    name: 'a Will on #',
    packets: [connectPacket({ clientId: 'x', will: { topic: '#' } })],
  },
])('$name', ({ packets }) => {
  it('is accepted by plain Aedes', async () => {
    expect(await survives(await plainAedes(), ...packets)).toBe(true)
  })
  it('ends the connection', async () => {
    expect(await survives(await ours(), ...packets)).toBe(false)
  })
})

/** Whether the broker answers a ping after this packet rather than closing the connection. */
async function survivesLater(subject: Subject, packet: Buffer): Promise<boolean> {
  const known = await acceptedClient(subject.port, { clientId: 'known' })
  known.send(packet, pingPacket)
  const answered = known.read(2).then(() => true)
  return Promise.race([answered, known.closed.then(() => false)])
}

describe.each([
  {
    name: 'a publish of 3 MiB',
    packet: publishPacket({ topic: 'a', payload: Buffer.alloc(3 << 20) }),
  },
  { name: 'NUL in a topic', packet: publishPacket({ topic: 'a\0b' }) },
  {
    name: 'bad UTF-8 in a topic',
    packet: publishPacket({ topic: Buffer.from([0x61, 0xc3, 0x28]) }),
  },
])('$name', ({ packet }) => {
  it('is accepted by plain Aedes', async () => {
    expect(await survivesLater(await plainAedes(), packet)).toBe(true)
  })
  it('ends the connection', async () => {
    expect(await survivesLater(await ours(), packet)).toBe(false)
  })
})

describe('an empty client id with clean = 0', () => {
  async function returnCode({ port }: Subject): Promise<number | undefined> {
    const nameless = await rawClient(port)
    nameless.send(connectPacket({ clientId: '', clean: false }))
    return (await nameless.read(4))[3]
  }
  it('is accepted by plain Aedes', async () => {
    expect(await returnCode(await plainAedes())).toBe(0)
  })
  it('is answered with "identifier rejected"', async () => {
    expect(await returnCode(await ours())).toBe(2)
  })
})

describe('a QoS 2 publish that is repeated before its PUBREC', () => {
  async function deliveries({ port, url }: Subject): Promise<string[]> {
    const watcher = await subscriber(url, 'q', 1)
    const sender = await acceptedClient(port, { clientId: 'sender' })
    const publish = { topic: 'q', payload: 'once', qos: 2, id: 5 } as const
    sender.send(publishPacket(publish), publishPacket({ ...publish, dup: true }))
    await sender.read(8)
    const other = await client(url)
    await other.mqtt.publishAsync('q', 'end', { qos: 1 })
    await watcher.inbox.until((messages) => texts(messages).includes('end'))
    return texts(watcher.inbox.items)
  }
  it('is delivered twice by plain Aedes', async () => {
    expect(await deliveries(await plainAedes())).toEqual(['once', 'once', 'end'])
  })
  it('is delivered once', async () => {
    expect(await deliveries(await ours())).toEqual(['once', 'end'])
  })
})

describe('a retained message of QoS 1 for a subscriber of QoS 0', () => {
  async function qosOf({ url, publish }: Subject): Promise<number | undefined> {
    publish('kept/state', 'x', { qos: 1, retain: true })
    const watcher = await subscriber(url, 'kept/#', 0)
    const [message] = await watcher.inbox.until((messages) => messages.length > 0)
    expect(message?.retain).toBe(true)
    return message?.qos
  }
  it('is sent with QoS 1 by plain Aedes', async () => {
    expect(await qosOf(await plainAedes())).toBe(1)
  })
  it('is sent with QoS 0', async () => {
    expect(await qosOf(await ours())).toBe(0)
  })
})

describe('a message that waited for its subscriber', () => {
  async function flags({ url, publish }: Subject): Promise<boolean | undefined> {
    const session = { clientId: 'session', clean: false }
    const first = await client(url, session)
    await first.mqtt.subscribeAsync('kept/#', { qos: 1 })
    await first.mqtt.endAsync()
    publish('kept/state', 'x', { qos: 1, retain: true })
    const second = await client(url, session)
    const [message] = await second.inbox.until((messages) => messages.length > 0)
    return message?.retain
  }
  it('is marked as retained by plain Aedes', async () => {
    expect(await flags(await plainAedes())).toBe(true)
  })
  it('is not marked as retained', async () => {
    expect(await flags(await ours())).toBe(false)
  })
})
