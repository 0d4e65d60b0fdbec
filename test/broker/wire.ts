import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { type Inbox, inbox } from './harness.ts'

/** MQTT 3.1.1 packets, byte by byte, for what no client library would send. */

interface Connect {
  readonly clientId: string
  readonly clean?: boolean
  readonly level?: number
  readonly will?: { topic: string; payload?: Buffer; qos?: number; retain?: boolean }
}

export function connectPacket({ clientId, clean = true, level = 4, will }: Connect): Buffer {
  const willFlags = will ? 0x04 | ((will.qos ?? 0) << 3) | (will.retain ? 0x20 : 0) : 0
  const flags = (clean ? 0x02 : 0) | willFlags
  const body = [text('MQTT'), Buffer.from([level, flags, 0, 0])]
  if (level === 5) body.push(Buffer.from([0]))
  body.push(text(clientId))
  if (will) body.push(text(will.topic), sized(will.payload ?? Buffer.alloc(0)))
  return packet(0x10, ...body)
}

interface Publish {
  readonly topic: string | Buffer
  readonly payload?: string | Buffer
  readonly qos?: 0 | 1 | 2
  readonly retain?: boolean
  readonly dup?: boolean
  readonly id?: number
}

export function publishPacket(publish: Publish): Buffer {
  const { topic, payload = '', qos = 0, retain = false, dup = false, id = 1 } = publish
  const flags = (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
  const parts = [sized(Buffer.from(topic)), ...(qos > 0 ? [number(id)] : []), Buffer.from(payload)]
  return packet(0x30 | flags, ...parts)
}

export function subscribePacket(
  id: number,
  filters: readonly string[],
  qos: 0 | 1 | 2 = 0,
): Buffer {
  return packet(
    0x82,
    number(id),
    ...filters.flatMap((filter) => [text(filter), Buffer.from([qos])]),
  )
}

export function pubrelPacket(id: number): Buffer {
  return packet(0x62, number(id))
}

export const pingPacket = Buffer.from([0xc0, 0])

/** A packet of any type; `body` may be anything. */
export function packet(firstByte: number, ...body: Buffer[]): Buffer {
  const bytes = Buffer.concat(body)
  return Buffer.concat([Buffer.from([firstByte, ...variableLength(bytes.length)]), bytes])
}

/** The remaining length as section 2.2.3 encodes it. */
export function variableLength(length: number): number[] {
  return length < 128 ? [length] : [(length % 128) | 0x80, ...variableLength(length >> 7)]
}

function number(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff])
}
function sized(bytes: Buffer): Buffer {
  return Buffer.concat([number(bytes.length), bytes])
}
function text(value: string): Buffer {
  return sized(Buffer.from(value))
}

/** A TCP connection that sends what it is told. */
export interface RawClient {
  readonly socket: Socket
  send(...packets: Buffer[]): void
  /** Waits for this many bytes from the broker and takes them; rejects when the broker closes first. */
  read(bytes: number): Promise<Buffer>
  /** Settles when the broker has closed the connection. */
  readonly closed: Promise<void>
}

export async function rawClient(port: number): Promise<RawClient> {
  const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true })
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  let received: Buffer[] = []
  let receivedBytes = 0
  const changed = new Set<() => void>()
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('data', (chunk) => {
    received.push(chunk)
    receivedBytes += chunk.length
    for (const check of changed) check()
  })
  return {
    socket,
    closed,
    send: (...packets) => void socket.write(Buffer.concat(packets)),
    read: (bytes) =>
      new Promise((resolve, reject) => {
        function check(): void {
          if (receivedBytes < bytes) return
          changed.delete(check)
          const all = Buffer.concat(received)
          received = [all.subarray(bytes)]
          receivedBytes -= bytes
          resolve(all.subarray(0, bytes))
        }
        changed.add(check)
        void closed.then(() => reject(new Error('the broker closed the connection')))
        check()
      }),
  }
}

/** A PUBLISH that a raw client received. */
export interface Received {
  readonly topic: string
  readonly retain: boolean
}

/** Every PUBLISH of QoS 0 that comes from here on, beside whatever else comes. */
export function publishes({ socket }: RawClient): Inbox<Received> {
  const received = inbox<Received>()
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk])
    for (let next = bounds(rest); next && next.end <= rest.length; next = bounds(rest)) {
      const [first = 0] = rest
      const topic = topicOf(rest.subarray(next.start, next.end))
      if (first >> 4 === 3) received.add({ topic, retain: (first & 1) === 1 })
      rest = rest.subarray(next.end)
    }
  })
  return received
}

/** Where the body of the first packet lies; nothing where its header is not complete. */
function bounds(bytes: Buffer): { start: number; end: number } | undefined {
  let length = 0
  for (let index = 1; index < 5; index += 1) {
    const byte = bytes[index]
    if (byte === undefined) return
    length += (byte & 0x7f) * 128 ** (index - 1)
    if (byte < 0x80) return { start: index + 1, end: index + 1 + length }
  }
  throw new Error('malformed packet length')
}

function topicOf(body: Buffer): string {
  const [high = 0, low = 0] = body
  return body.subarray(2, 2 + high * 256 + low).toString()
}

/** A raw client whose CONNECT was accepted. */
export async function acceptedClient(port: number, options: Connect): Promise<RawClient> {
  const client = await rawClient(port)
  client.send(connectPacket(options))
  const [, , , returnCode] = await client.read(4)
  if (returnCode !== 0) throw new Error(`CONNACK ${returnCode}`)
  return client
}
