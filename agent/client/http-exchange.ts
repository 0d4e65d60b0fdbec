import { Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps, Agent as TlsAgent } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { basicAuthorization } from '../net/credentials.ts'
import type { ClientParts } from './agent-client.ts'
import { refusalOf } from './http-problem.ts'
import { tooLate, unreachable } from './unreachable.ts'

/** A server that is asked again and again. */
export interface Server {
  readonly url: URL
  readonly connections: Agent
  readonly headers: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** What a request carries. */
export interface Body {
  readonly type: string
  /** Sent in chunks where this is unknown. */
  readonly bytes?: number
  readonly content: AsyncIterable<Uint8Array>
}

/** One request. */
export interface Exchange {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  /** With its query; below the path of the server's URL. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Body
  /** How long nothing may happen, ms. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** The server of a client; `connections` is to be destroyed in the end. */
export function serverOf({ url, token, signal }: ClientParts): Server {
  const connections = url.protocol === 'https:' ? new TlsAgent(kept) : new Agent(kept)
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return {
    url,
    connections,
    headers: { 'user-agent': 'heliograph-ctl', ...basicAuthorization(url), ...authorization },
    ...(signal ? { signal } : {}),
  }
}

const kept = { keepAlive: true }

/**
 * Sends a request; resolves when a good answer begins, its body not read yet.
 * @throws AgentError what the agent refused with; AGENT_UNREACHABLE, TIMEOUT
 */
export async function exchange(server: Server, wanted: Exchange): Promise<IncomingMessage> {
  const response = await send(server, wanted)
  const { statusCode = 0 } = response
  if (statusCode >= 200 && statusCode < 300) return response
  throw refusalOf(server.url, statusCode, await textOf(server, response))
}

/** A whole body as text. @throws AgentError AGENT_UNREACHABLE, TIMEOUT */
export async function textOf(server: Server, response: IncomingMessage): Promise<string> {
  return Buffer.concat(await chunksOf(server, response)).toString('utf8')
}

/** A whole body. @throws AgentError AGENT_UNREACHABLE, TIMEOUT */
export async function chunksOf(server: Server, response: IncomingMessage): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of reading(server, response)) chunks.push(chunk)
  return chunks
}

/** A body as it comes. @throws AgentError AGENT_UNREACHABLE, TIMEOUT */
export async function* reading(
  { url }: Server,
  response: IncomingMessage,
): AsyncGenerator<Uint8Array> {
  try {
    yield* response
  } catch (cause) {
    throw unreachable(url, cause)
  }
}

function send(server: Server, wanted: Exchange): Promise<IncomingMessage> {
  const { url } = server
  const { method, path, timeoutMs } = wanted
  return new Promise((resolve, reject) => {
    let response: IncomingMessage | undefined
    const request = requestOf(server, wanted)
    request.setTimeout(timeoutMs, () => {
      const late = tooLate(url, timeoutMs, `${method} ${path.replace(/\?.*/, '')}`)
      const waiting = response ?? request
      waiting.destroy(late)
    })
    request.on('error', (cause) => reject(unreachable(url, cause)))
    request.on('response', (answer) => {
      response = answer
      resolve(answer)
    })
    // A server that refuses an upload may stop to read it: what counts is its answer.
    sendBody(request, wanted.body).catch((cause) => reject(unreachable(url, cause)))
  })
}

function requestOf(server: Server, wanted: Exchange): ClientRequest {
  const { url, connections, headers } = server
  const { method, path, body } = wanted
  const base = url.pathname.replace(/\/$/, '')
  const signals = [server.signal, wanted.signal].filter((signal) => signal !== undefined)
  const start = url.protocol === 'https:' ? requestHttps : requestHttp
  return start({
    method,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    ...(url.port ? { port: url.port } : {}),
    path: base + path,
    headers: {
      accept: 'application/json',
      ...headers,
      ...(body ? { 'content-type': body.type } : {}),
      ...(body?.bytes === undefined ? {} : { 'content-length': body.bytes }),
      ...wanted.headers,
    },
    agent: connections,
    ...(signals.length > 0 ? { signal: AbortSignal.any(signals) } : {}),
  })
}

async function sendBody(request: ClientRequest, body: Body | undefined): Promise<void> {
  if (body) await pipeline(Readable.from(body.content, { objectMode: false }), request)
  else request.end()
}
