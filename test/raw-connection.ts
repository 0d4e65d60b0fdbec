import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** One answer as it came over a connection. */
export interface RawAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A TCP connection that says exactly what a test wants, and keeps what comes back. */
export interface RawConnection {
  readonly socket: Socket
  /** Resolves when it was handed over, or when the other side has closed. */
  send(bytes: string | Buffer): Promise<void>
  /** The first `count` answers that came with a `Content-Length`. @throws when the connection ends before */
  answers(count: number): Promise<readonly RawAnswer[]>
  /** Resolves with everything that was received when the other side has closed. */
  closed: Promise<string>
}

/** Connects; the connection ends with the test. */
export async function rawConnection(port: number, host = '127.0.0.1'): Promise<RawConnection> {
  const socket = connect({ port, host, allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  let received = Buffer.alloc(0)
  const waiting = new Set<() => void>()
  const look = () => {
    for (const one of [...waiting]) one()
  }
  let isOver = false
  socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes])
    look()
  })
  socket.on('error', () => undefined)
  const closed = new Promise<string>((resolve) => {
    const over = () => {
      isOver = true
      look()
      resolve(received.toString('latin1'))
    }
    socket.once('end', over).once('close', over)
  })
  await new Promise<void>((resolve) =>
    socket.once('connect', resolve).once('close', () => resolve()),
  )
  return {
    socket,
    closed,
    send: (bytes) =>
      new Promise((resolve) => {
        if (socket.destroyed || !socket.writable) return resolve()
        const done = () => {
          socket.off('close', done)
          resolve()
        }
        socket.once('close', done)
        socket.write(bytes, done)
      }),
    answers: (count) =>
      new Promise((resolve, reject) => {
        const see = () => {
          const found = answersIn(received)
          if (found.length >= count) resolve(found.slice(0, count))
          else if (isOver) reject(new Error(`only ${found.length} answers in: ${received}`))
          else return
          waiting.delete(see)
        }
        waiting.add(see)
        see()
      }),
  }
}

/** Whole answers; what has no length reaches to the end. */
export function answersIn(bytes: Buffer): RawAnswer[] {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return []
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  )
  const status = Number(first.split(' ')[1])
  const rest = bytes.subarray(end + 4)
  if (status === 100) return answersIn(rest)
  const length = Number(headers['content-length'] ?? (status === 204 ? 0 : rest.length))
  if (rest.length < length) return []
  const body = rest.subarray(0, length).toString('utf8')
  return [{ status, headers, body }, ...answersIn(rest.subarray(length))]
}

/** A request as it goes over the wire. */
export function rawRequest(line: string, headers: readonly string[] = [], body = ''): string {
  const fields = ['Host: localhost', ...headers].map((field) => `${field}\r\n`).join('')
  return `${line} HTTP/1.1\r\n${fields}\r\n${body}`
}
