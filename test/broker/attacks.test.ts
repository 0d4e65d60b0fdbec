import { describe, expect, it, onTestFinished } from 'vitest'
import WebSocket from 'ws'
import { defaultLimits } from '../../broker/limits.ts'
import { client, controlTopic, subscriber, type TestBroker, testBroker } from './harness.ts'
import {
  acceptedClient,
  connectPacket,
  packet,
  pingPacket,
  publishPacket,
  rawClient,
  subscribePacket,
} from './wire.ts'

type Attack = (broker: TestBroker) => Promise<void>

/** One connection that sends this before or after its CONNECT, and stays if it may. */
function sends(...packets: Buffer[]): Attack {
  return async ({ ports }) => {
    const stranger = await rawClient(ports.mqtt)
    stranger.send(...packets)
    const known = await acceptedClient(ports.mqtt, { clientId: 'attacker' })
    known.send(...packets)
  }
}

function many<Item>(count: number, make: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

/** Bytes that look random and are the same in each run. */
function garbage(length: number): Buffer {
  let state = 12345
  return Buffer.from(
    many(length, () => {
      state = (state * 1103515245 + 12345) & 0x7fffffff
      return state >> 16
    }),
  )
}

const filters = many(10_000, (index) => `f/${index}`)
const deep = many(90, () => 'a').join('/')
const long = 'x'.repeat(65_535)
const hugeLength = Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])

const overTcp: Record<string, Attack> = {
  garbage: sends(garbage(64 * 1024)),
  'an HTTP request': sends(Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')),
  'a length of 256 MB': sends(hugeLength),
  'a length that never ends': sends(Buffer.alloc(64, 0xff)),
  'a publish of 5 MiB': sends(publishPacket({ topic: 'a', payload: Buffer.alloc(5 << 20) })),
  'packets that only a server sends': sends(packet(0x20, Buffer.from([0, 0])), pingPacket),
  'an empty SUBSCRIBE': sends(packet(0x82, Buffer.from([0, 1]))),
  'a SUBSCRIBE cut short': sends(packet(0x82, Buffer.from([0, 1, 0, 50, 0x61]))),
  'a PUBLISH without a packet id': sends(packet(0x32, Buffer.from([0, 1, 0x61]))),
  'an empty PUBLISH': sends(packet(0x30), packet(0x32), packet(0x34)),
  'acknowledgements of nothing': sends(
    ...[0x40, 0x50, 0x62, 0x70].map((type) => packet(type, Buffer.from([0, 99]))),
  ),
  'a second CONNECT': sends(connectPacket({ clientId: 'a' }), connectPacket({ clientId: 'a' })),
  'a topic of 50 levels': sends(publishPacket({ topic: deep.slice(0, 99), qos: 1, retain: true })),
  'a topic of 65,535 characters': sends(publishPacket({ topic: long, qos: 1, retain: true })),
  'filters of 90 levels and 50,000 characters': sends(
    subscribePacket(1, [deep, `${deep}/#`]),
    subscribePacket(2, [long.slice(0, 50_000)]),
  ),
  'filters that are none': sends(subscribePacket(1, ['a/#/b', '+a', '', '#/'])),
  '10,000 filters in one packet': sends(subscribePacket(1, filters)),
  '10,000 filters in 100 packets of a session': async ({ ports }) => {
    const options = { clientId: 'attacker', clean: false }
    const attacker = await acceptedClient(ports.mqtt, options)
    const packets = many(100, (index) => filters.slice(index * 100, index * 100 + 100))
    attacker.send(...packets.map((some, index) => subscribePacket(index + 1, some, 1)))
    // SUBACK: a header of two bytes, the packet id, one byte for each filter.
    const answers = await attacker.read(100 * 104)
    expect(answers.filter((byte) => byte === 0x80)).toHaveLength(
      10_000 - defaultLimits.filtersPerClient,
    )
  },
  'half of a CONNECT, 200 times': async ({ ports }) => {
    const half = connectPacket({ clientId: 'attacker' }).subarray(0, 8)
    for (const stranger of await Promise.all(many(200, () => rawClient(ports.mqtt)))) {
      stranger.send(half)
    }
  },
  'half of a picture, 50 times': async ({ ports }) => {
    const half = publishPacket({ topic: 'a', payload: Buffer.alloc(2_000_000) }).subarray(
      0,
      1 << 20,
    )
    for (let index = 0; index < 50; index += 1) {
      const attacker = await acceptedClient(ports.mqtt, { clientId: `attacker-${index}` })
      attacker.send(half)
    }
  },
  '50,000 publishes whose acknowledgements nobody reads': async ({ ports }) => {
    const attacker = await acceptedClient(ports.mqtt, { clientId: 'attacker' })
    attacker.socket.pause()
    attacker.send(...many(50_000, (id) => publishPacket({ topic: 'a', qos: 1, id: id + 1 })))
  },
  '5,000 open QoS 2 handshakes': sends(
    ...many(5000, (id) => publishPacket({ topic: 'a', qos: 2, id: id + 1 })),
  ),
  '10,000 control messages': async ({ ports }) => {
    const attacker = await acceptedClient(ports.mqtt, { clientId: 'attacker' })
    attacker.send(...many(10_000, () => publishPacket({ topic: controlTopic })))
  },
  '20,000 retained topics, and one who asks for all of them again and again': async ({ ports }) => {
    const attacker = await acceptedClient(ports.mqtt, { clientId: 'attacker' })
    attacker.socket.pause()
    const kept = many(20_000, (index) => ({ topic: `kept/${index}`, payload: 'x', retain: true }))
    attacker.send(...kept.map(publishPacket))
    attacker.send(...many(200, (index) => subscribePacket(index + 1, ['#', 'kept/+', '+/+'])))
  },
  '300 takeovers of one client id': async ({ ports }) => {
    const attackers = await Promise.all(many(300, () => rawClient(ports.mqtt)))
    for (const attacker of attackers) attacker.send(connectPacket({ clientId: 'same' }))
  },
  '550 sessions that never come back': async ({ ports }) => {
    for (let index = 0; index < 550; index += 1) {
      const session = { clientId: `session-${index}`, clean: false }
      const attacker = await acceptedClient(ports.mqtt, session)
      attacker.send(subscribePacket(1, ['#'], 1), publishPacket({ topic: 'a', qos: 2 }))
      await attacker.read(9)
      attacker.socket.destroy()
    }
  },
}

/** One WebSocket that sends these messages. */
function messages(...sent: (Buffer | string)[]): Attack {
  return async ({ addresses }) => {
    const socket = new WebSocket(addresses.ws, 'mqtt')
    onTestFinished(() => socket.terminate())
    socket.on('error', () => undefined)
    await new Promise((resolve) => socket.once('open', resolve))
    for (const message of sent) socket.send(message)
  }
}

const overWebSocket: Record<string, Attack> = {
  'text messages': messages('hello', 'world'),
  garbage: messages(garbage(4096)),
  'a message of 8 MiB': messages(Buffer.alloc(8 << 20)),
  'a CONNECT in single bytes, and then garbage': messages(
    ...[...connectPacket({ clientId: 'slow' })].map((byte) => Buffer.from([byte])),
    garbage(64),
  ),
}

describe.each([
  ...Object.entries(overTcp).map(([name, attack]) => ({ name: `${name} over TCP`, attack })),
  ...Object.entries(overWebSocket).map(([name, attack]) => ({
    name: `${name} over WebSocket`,
    attack,
  })),
])('$name', ({ attack }) => {
  it('leaves everyone else their broker', async () => {
    const broker = await testBroker()
    const bystander = await subscriber(broker.addresses.mqtt, 'normal', 1)
    await attack(broker)

    const before = process.cpuUsage()
    const newcomer = await client(broker.addresses.mqtt, { clientId: 'newcomer' })
    await newcomer.mqtt.publishAsync(controlTopic, 'from a newcomer', { qos: 1 })
    await newcomer.mqtt.publishAsync('normal', 'from a newcomer', { qos: 1 })
    await bystander.inbox.until((received) => received.length > 0)
    // This process's own time: the broker is in it, and other tests may keep the machine busy.
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(1000)
    expect(broker.controls.items.map((arrival) => arrival.client)).toContain('newcomer')
  })
})
