import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { type Inbox, inbox } from '../../broker/harness.ts'

export interface Answer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

export interface Frame {
  readonly channel: number
  readonly data: Buffer
}

/** One connection to an RTSP server, byte by byte. */
export interface RtspClient {
  readonly socket: Socket
  readonly answers: Inbox<Answer>
  readonly frames: Inbox<Frame>
  /** In the order they came: a status, or a channel's name. */
  readonly order: (number | string)[]
  /** Sends a request and waits for the next answer. */
  ask(method: string, url: string, headers?: Record<string, string>, body?: string): Promise<Answer>
  readonly closed: Promise<unknown>
}

/** Connects; ends with the test. */
export async function rtspClient(
  port: number,
  host = '127.0.0.1',
  localAddress?: string,
): Promise<RtspClient> {
  const socket = connect({ port, host, ...(localAddress ? { localAddress } : {}) })
  onTestFinished(() => void socket.destroy())
  const closed = once(socket, 'close')
  await once(socket, 'connect')
  socket.on('error', () => undefined)
  const answers = inbox<Answer>()
  const frames = inbox<Frame>()
  const order: (number | string)[] = []
  let held = Buffer.alloc(0)
  let cseq = 0

  function frame(): boolean {
    const size = 4 + (held.length < 4 ? 0 : held.readUInt16BE(2))
    if (held.length < Math.max(4, size)) return false
    const channel = held.readUInt8(1)
    order.push(`channel ${channel}`)
    frames.add({ channel, data: held.subarray(4, size) })
    held = held.subarray(size)
    return true
  }
  function answer(): boolean {
    const end = held.indexOf('\r\n\r\n')
    if (end < 0) return false
    const [first = '', ...lines] = held.toString('latin1', 0, end).split('\r\n')
    const headers = new Map<string, string>()
    for (const line of lines) {
      const [name = '', ...value] = line.split(': ')
      const before = headers.get(name.toLowerCase())
      headers.set(name.toLowerCase(), [...(before ? [before] : []), value.join(': ')].join('\n'))
    }
    const length = Number(headers.get('content-length') ?? 0)
    if (held.length < end + 4 + length) return false
    const body = held.toString('utf8', end + 4, end + 4 + length)
    held = held.subarray(end + 4 + length)
    const status = Number(first.split(' ')[1])
    order.push(status)
    answers.add({ status, headers, body })
    return true
  }
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    while (held.length > 0 && (held[0] === 0x24 ? frame() : answer()));
  })

  return {
    ...{ socket, answers, frames, order, closed },
    async ask(method, url, headers = {}, body = '') {
      const count = answers.items.length
      socket.write(requestText(method, url, { CSeq: String(++cseq), ...headers }, body))
      await Promise.race([
        answers.until((items) => items.length > count),
        closed.then(() => Promise.reject(new Error('the server closed the connection'))),
      ])
      const found = answers.items[count]
      if (!found) throw new Error('no answer')
      return found
    },
  }
}

export function requestText(
  method: string,
  url: string,
  headers: Record<string, string>,
  body = '',
): string {
  const all = body === '' ? headers : { ...headers, 'Content-Length': `${Buffer.byteLength(body)}` }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${url} RTSP/1.0\r\n${lines.join('')}\r\n${body}`
}

/** The id in an answer's Session header. */
export function sessionOf({ headers }: Answer): string {
  return headers.get('session')?.split(';')[0] ?? ''
}

export const interleaved = { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1' }

/** Sets up and plays over the connection; returns the session's id. */
export async function play(client: RtspClient, url: string): Promise<string> {
  const session = sessionOf(await client.ask('SETUP', `${url}/trackID=0`, interleaved))
  const { status } = await client.ask('PLAY', url, { Session: session })
  if (status !== 200) throw new Error(`PLAY was answered ${status}`)
  return session
}

export interface RtpPacket {
  readonly marker: boolean
  readonly payloadType: number
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
  readonly payload: Buffer
}

/** RFC 3550, section 5.1. */
export function rtpPacket(data: Buffer): RtpPacket {
  if (data.readUInt8(0) !== 0x80) throw new Error('not a plain RTP header of version 2')
  const second = data.readUInt8(1)
  return {
    marker: second >= 128,
    payloadType: second & 0x7f,
    sequence: data.readUInt16BE(2),
    timestamp: data.readUInt32BE(4),
    ssrc: data.readUInt32BE(8),
    payload: data.subarray(12),
  }
}

export interface Picture {
  readonly timestamp: number
  readonly nals: readonly Buffer[]
}

/** Puts pictures together again (RFC 6184, section 5.8). @throws where the packets contradict one another */
export function pictures(packets: readonly RtpPacket[]): Picture[] {
  const all: Picture[] = []
  let nals: Buffer[] = []
  let parts: Buffer[] = []
  for (const { payload, marker, timestamp } of packets) {
    const first = payload.readUInt8(0)
    if ((first & 0x1f) !== 28) nals.push(payload)
    else {
      const header = payload.readUInt8(1)
      const begins = (header & 0x80) !== 0
      if (begins !== (parts.length === 0)) throw new Error('fragments out of order')
      if (begins) parts.push(Buffer.of((first & 0xe0) | (header & 0x1f)))
      parts.push(payload.subarray(2))
      if (header & 0x40) nals.push(Buffer.concat(parts.splice(0)))
    }
    if (!marker) continue
    if (parts.length > 0) throw new Error('a picture ends within a fragment')
    all.push({ timestamp, nals })
    nals = []
    parts = []
  }
  return all
}

/** The pictures that came on a channel so far. */
export function picturesOn(client: RtspClient, channel = 0): Picture[] {
  const own = client.frames.items.filter((frame) => frame.channel === channel)
  const packets = own.map(({ data }) => rtpPacket(data))
  const last = packets.findLastIndex(({ marker }) => marker)
  return pictures(packets.slice(0, last + 1))
}

/** The numbers that `madePacket` put into pictures. */
export function numbersOf(all: readonly Picture[]): number[] {
  return all.map(({ nals }) => (nals.at(-1)?.[1] ?? 0) - 1)
}
