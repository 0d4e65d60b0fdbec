import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { defaultRtspLimits } from '../../agent/rtsp/limits.ts'
import { type RtspServer, type RtspStream, startRtspServer } from '../../agent/rtsp/server.ts'
import { accessUnit, format, nalOf, pps, sps } from '../agent/rtsp/material.ts'
import { randomFrom } from './fuzz.ts'

/** What came of damaged requests. */
export interface FuzzOutcome {
  readonly requests: number
  /** Answers by status. */
  readonly answers: Readonly<Record<string, number>>
  /** What a server must not do, whatever it is sent. */
  readonly failures: readonly string[]
}

const path = '/hall/video/gate'
const requestsPerConnection = 10
const connectionsAtOnce = 20
const patienceMs = 30

/** Sends so many damaged requests to a server of its own, with a viewer beside them. */
export async function fuzzRtsp(requests: number, seed: number): Promise<FuzzOutcome> {
  const random = randomFrom(seed)
  const failures: string[] = []
  const answers: Record<string, number> = {}
  let sent = 0
  const server = await guineaPig(failures)
  const stream = offered(server)
  const witness = await watch(server.port)
  try {
    while (sent < requests) {
      const connections = Array.from({ length: connectionsAtOnce }, () =>
        conversation(server.port, randomFrom(random() * 2 ** 32)),
      )
      for (const one of await Promise.all(connections)) {
        sent += one.sent
        for (const status of one.statuses) answers[status] = (answers[status] ?? 0) + 1
      }
      if (!(await witness.sees(stream)))
        failures.push(`after ${sent} requests the viewer saw nothing`)
    }
  } finally {
    witness.close()
    await server.close()
  }
  return { requests: sent, answers, failures }
}

/** A server whose only limits are those on a single request. */
function guineaPig(failures: string[]): Promise<RtspServer> {
  const nothing = () => undefined
  const error = (fields: object, message: string) => {
    const cause = 'error' in fields ? fields.error : undefined
    failures.push(`${message}: ${cause instanceof Error ? cause.stack : String(cause)}`)
  }
  return startRtspServer({
    config: { host: '127.0.0.1', port: 0, users: [], clients: 1000, queueBytes: 2 ** 20 },
    log: { trace: nothing, debug: nothing, info: nothing, warn: nothing, error },
    limits: {
      ...defaultRtspLimits,
      ...{ requestsPerSecond: 1000, describeMs: 20, playMs: 10, keyMs: 5, setupMs: 500 },
    },
  })
}

function offered(server: RtspServer): RtspStream {
  let pts = 0
  const stream: RtspStream = server.offer({
    path,
    format,
    wanted: () => undefined,
    key: () =>
      setImmediate(() => {
        pts += 3600
        stream.write({ data: accessUnit(sps, pps, nalOf(0x65, 50, 9)), pts, key: true })
      }),
    viewersChanged: () => undefined,
  })
  return stream
}

interface Witness {
  /** Whether a packet that is written arrives. */
  sees(stream: RtspStream): Promise<boolean>
  close(): void
}

/** A viewer that does all right. */
async function watch(port: number): Promise<Witness> {
  const socket = connect(port, '127.0.0.1')
  const url = `rtsp://127.0.0.1:${port}${path}`
  socket.on('error', () => undefined)
  socket.write(`SETUP ${url} RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;unicast\r\n\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  const [, id] = /Session: (\w+)/.exec(answer.toString()) ?? []
  socket.write(`PLAY ${url} RTSP/1.0\r\nCSeq: 2\r\nSession: ${id}\r\n\r\n`)
  let pts = 2 ** 30
  return {
    async sees(stream) {
      pts += 3600
      const data = accessUnit(sps, pps, nalOf(0x65, 50, 9))
      const arrival = once(socket, 'data', { signal: AbortSignal.timeout(5000) })
      stream.write({ data, pts, key: true })
      return arrival.then(
        () => stream.viewers > 0,
        () => false,
      )
    },
    close: () => void socket.destroy(),
  }
}

interface Conversation {
  readonly sent: number
  readonly statuses: readonly string[]
}

/** Sends some requests, cut anywhere, until the server has enough of them. */
async function conversation(port: number, random: () => number): Promise<Conversation> {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  let session = 'none'
  let sent = 0
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
    session = /Session: (\w+)/.exec(received)?.[1] ?? session
  })
  const closed = new Promise((resolve) => socket.once('close', resolve))
  await once(socket, 'connect')
  if (random() < 0.7) {
    const url = `rtsp://127.0.0.1:${port}${path}`
    socket.write(`SETUP ${url} RTSP/1.0\r\nCSeq: 0\r\nTransport: RTP/AVP/TCP\r\n\r\n`)
    await something(socket)
  }
  for (; sent < requestsPerConnection && socket.writable; sent++) {
    const bytes = damaged(validRequest(port, session, random), random)
    const cut = Math.floor(random() * bytes.length)
    socket.write(bytes.subarray(0, cut))
    await new Promise((resolve) => setImmediate(resolve))
    socket.write(bytes.subarray(cut))
    await something(socket)
  }
  if (random() < 0.5) socket.end()
  else if (socket.writable) socket.resetAndDestroy()
  const patience = setTimeout(() => socket.destroy(), 1500)
  await closed
  clearTimeout(patience)
  const statuses = [...received.matchAll(/RTSP\/1\.0 (\d{3}) /g)].map(([, status = '']) => status)
  return { sent, statuses }
}

/** An answer, the end, or nothing for a while: what was sent may be part of a request only. */
async function something(socket: Socket): Promise<void> {
  const signal = AbortSignal.timeout(patienceMs)
  const events = ['data', 'end', 'close'].map((name) => once(socket, name, { signal }))
  await Promise.race(events).catch(() => undefined)
  // Those that lost the race are let go of.
  for (const event of events) event.catch(() => undefined)
}

const pick = <T>(items: readonly T[], random: () => number): T =>
  items[Math.floor(random() * items.length)] as T

const methodNames = [
  ...[
    'OPTIONS',
    'DESCRIBE',
    'SETUP',
    'SETUP',
    'PLAY',
    'PAUSE',
    'TEARDOWN',
    'GET_PARAMETER',
    'GET_PARAMETER',
  ],
  ...['SET_PARAMETER', 'ANNOUNCE', 'RECORD', 'REDIRECT', 'constructor', '__proto__', 'toString'],
]
const transports = [
  ...['RTP/AVP/TCP;unicast;interleaved=0-1', 'RTP/AVP/TCP;interleaved=254-255', 'RTP/AVP/TCP'],
  ...['RTP/AVP;unicast;client_port=40000-40001', 'RTP/AVP;multicast', 'RTP/AVP;client_port=1-2'],
  ...['RTP/AVP;unicast;client_port=99999999999-0', ';;;,,,;=', 'RTP/AVP/TCP;interleaved=-1-0'],
]

function validRequest(port: number, session: string, random: () => number): string {
  const base = `rtsp://127.0.0.1:${port}${path}`
  const url = pick([base, `${base}/trackID=0`, `${base}/`, '*', `${base}?x`, 'rtsp://[::'], random)
  const body = random() < 0.3 ? 'packets_received\r\n' : ''
  const headers = [
    `CSeq: ${Math.floor(random() * 100)}`,
    `Transport: ${pick(transports, random)}`,
    ...(random() < 0.7 ? [`Session: ${session}`] : []),
    ...(random() < 0.1 ? [`Authorization: Digest ${'username="'.repeat(3)}`] : []),
    ...(random() < 0.1 ? ['Require: x'] : []),
    ...(body ? [`Content-Length: ${body.length}`] : []),
  ]
  return `${pick(methodNames, random)} ${url} RTSP/1.0\r\n${headers.join('\r\n')}\r\n\r\n${body}`
}

const damages: readonly ((bytes: Buffer, random: () => number) => Buffer)[] = [
  (bytes) => bytes,
  (bytes) => bytes,
  (bytes, random) => bytes.subarray(0, Math.floor(random() * bytes.length)),
  (bytes, random) => splice(bytes, random, Buffer.of(Math.floor(random() * 256)), 1),
  (bytes, random) => splice(bytes, random, Buffer.alloc(Math.floor(random() * 9000), 'a'), 0),
  (bytes, random) => splice(bytes, random, Buffer.from('\r\n'), 0),
  (bytes, random) => splice(bytes, random, Buffer.from('\r\n\r\n'), 0),
  (bytes, random) => splice(bytes, random, bytes.subarray(0, 40), 0),
  (bytes, random) => splice(bytes, random, Buffer.alloc(0), Math.floor(random() * 20)),
  (bytes, random) => Buffer.concat([Buffer.of(0x24, Math.floor(random() * 256), 0, 8), bytes]),
  (bytes) => Buffer.from(bytes.toString('latin1').replace(/\d+/g, '99999999999999999999')),
  (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n')),
  (_, random) => Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256))),
]

function damaged(text: string, random: () => number): Buffer {
  return pick(damages, random)(Buffer.from(text, 'latin1'), random)
}

/** Replaces so many bytes somewhere. */
function splice(bytes: Buffer, random: () => number, by: Buffer, count: number): Buffer {
  const at = Math.floor(random() * bytes.length)
  return Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + count)])
}
