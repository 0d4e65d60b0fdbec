import { Agent, type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps, Agent as TlsAgent } from 'node:https'
import type { AddressPolicy } from './addresses.ts'
import { checkedAddress } from './checked-address.ts'
import { connectionProblem, silence } from './connection-problem.ts'

/** What every request of one source or output shares. */
export interface HttpSession {
  readonly policy: AddressPolicy
  /** How long nothing may happen, ms. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Keeps connections for the next request; without it, each request has its own. */
  readonly connections?: Agent
}

/** What is sent. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

/** Connections that are kept, one at a time, for requests to the server of `url`; its giver destroys it. */
export function keptConnection(url: URL): Agent {
  const options = { keepAlive: true, maxSockets: 1, maxFreeSockets: 1 }
  return url.protocol === 'https:' ? new TlsAgent(options) : new Agent(options)
}

/**
 * One request, one response, redirects included; its body is not read yet. The address policy is applied to
 * every address that is connected to, after name resolution.
 * @throws AgentError *_FORBIDDEN, SOURCE_UNREACHABLE, SINK_FAILED
 */
export async function requestOnce(
  url: URL,
  { method, headers, body }: HttpRequest,
  { policy, timeoutMs, signal, connections }: HttpSession,
): Promise<IncomingMessage> {
  const options: RequestOptions = {
    ...checkedAddress(url, policy),
    method,
    path: url.pathname + url.search,
    headers: { 'user-agent': 'heliograph', 'accept-encoding': 'identity', ...headers },
    agent: connections ?? false,
    signal,
  }
  return await new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp
    const request = send(options)
    const late = (): unknown => request.destroy(silence(url, timeoutMs, policy.side))
    const timer = setTimeout(late, timeoutMs)
    request.on('error', (error) => {
      clearTimeout(timer)
      reject(connectionProblem(url, error, policy.side))
    })
    request.on('response', (response) => {
      clearTimeout(timer)
      resolve(response)
    })
    request.end(body)
  })
}
