import type { ClientRequestArgs } from 'node:http'
import type { ClientOptions, WebSocket } from 'ws'
import type { OutputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import type { Sink } from '../core/stages.ts'
import { checkedAddress } from '../net/checked-address.ts'
import { connectionProblem, silence } from '../net/connection-problem.ts'
import { basicAuthorization } from '../net/credentials.ts'
import { shownUrl } from '../net/shown-url.ts'
import { forOutputs } from '../net/side.ts'
import { closedEarly, DEFAULT_TIMEOUT_MS, type Destination, destination } from './destination.ts'
import { resultJson } from './result-json.ts'
import type { SinkContext } from './sink-context.ts'

const EXAMPLE = 'ws://host/path'
const MAX_BUFFERED = 4 * 1024 * 1024
/** How long the reason for which a connection ended may take, ms. */
const REASON_MS = 200

/**
 * `ws(s)://`: each result as one JSON message to a WebSocket server (RFC 6455), which has to answer pings.
 * @throws AgentError SINK_UNSUPPORTED, SINK_FORBIDDEN, SINK_FAILED, LIMIT_EXCEEDED
 */
export function webSocketSink(spec: OutputSpec, context: SinkContext): Sink {
  const place = destination(spec.url, context, EXAMPLE)
  const timeoutMs = spec.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const name = shownUrl(place.url)
  let socket: WebSocket | undefined
  let liveness: NodeJS.Timeout | undefined
  let problem: AgentError | undefined
  let isOpen = false
  let tellOver: () => void = () => undefined
  const over = new Promise<void>((resolve) => {
    tellOver = resolve
  })

  const ended = (reason: unknown): void => {
    if (problem) return
    problem = connectionProblem(place.url, reason, forOutputs)
    tellOver()
    clearInterval(liveness)
    socket?.terminate()
    if (isOpen) context.lost(problem)
  }
  /** That nothing can be sent says little; why the connection ended is known soon after. */
  const reasonOf = async (error: unknown): Promise<AgentError | undefined> => {
    const late = setTimeout(() => ended(error), REASON_MS)
    await over
    clearTimeout(late)
    return problem
  }
  return {
    keepsFrames: true,
    async open() {
      const made = await newSocket(place, timeoutMs)
      if (problem) made.terminate()
      socket = made
      await opened(made, ended)
      if (problem) throw problem
      isOpen = true
      liveness = watched(made, timeoutMs, () => ended(silence(place.url, timeoutMs, forOutputs)))
    },
    async write({ result }) {
      if (problem) throw problem
      if (!socket) throw closedEarly(`cannot send to ${name}`)
      if (socket.bufferedAmount > MAX_BUFFERED) throw tooSlow(name)
      await send(socket, resultJson(result)).catch(async (error: unknown) => {
        throw problem ?? (await reasonOf(error))
      })
    },
    async close() {
      problem ??= closedEarly(`cannot send to ${name}`)
      tellOver()
      clearInterval(liveness)
      if (socket) await closed(socket)
    },
  }
}

async function newSocket({ url, policy }: Destination, timeoutMs: number): Promise<WebSocket> {
  const { WebSocket: Socket } = await import('ws')
  const { lookup } = checkedAddress(url, policy)
  const target = new URL(url)
  target.username = ''
  target.password = ''
  const options: ClientOptions & ClientRequestArgs = {
    lookup,
    headers: { 'user-agent': 'heliograph', ...basicAuthorization(url) },
    handshakeTimeout: timeoutMs,
    perMessageDeflate: false,
    followRedirects: false,
    // Nothing that a server says is wanted.
    maxPayload: 64 * 1024,
  }
  return new Socket(target, options)
}

/** Resolves when it is open, or has ended. */
function opened(socket: WebSocket, ended: (reason: unknown) => void): Promise<void> {
  return new Promise((resolve) => {
    socket.once('open', resolve)
    socket.on('error', (error) => {
      ended(error)
      resolve()
    })
    socket.on('close', (code, reason) => {
      const why = reason.length > 0 ? `: ${reason.toString('utf8').slice(0, 100)}` : ''
      ended(new Error(`the server closed the connection (${code}${why})`))
      resolve()
    })
  })
}

/** Pings; calls `silent` when no pong came before the next ping is due. */
function watched(socket: WebSocket, everyMs: number, silent: () => void): NodeJS.Timeout {
  let answered = true
  socket.on('pong', () => {
    answered = true
  })
  return setInterval(() => {
    if (!answered) {
      silent()
      return
    }
    answered = false
    socket.ping()
  }, everyMs)
}

function send(socket: WebSocket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(text, (error) => (error ? reject(error) : resolve()))
  })
}

/** Says goodbye, but does not wait long for the answer. */
function closed(socket: WebSocket): Promise<void> {
  if (socket.readyState === socket.CLOSED) return Promise.resolve()
  return new Promise((resolve) => {
    const late = setTimeout(() => socket.terminate(), 500)
    socket.once('close', () => {
      clearTimeout(late)
      resolve()
    })
    socket.close(1000)
  })
}

const tooSlow = (name: string): AgentError =>
  new AgentError('LIMIT_EXCEEDED', `${name} is too slow: more than ${MAX_BUFFERED} bytes wait`)
