import { type LookupAddress, lookup as resolveName } from 'node:dns'
import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { AgentError } from '../core/errors.ts'
import { type AddressPolicy, forbiddenAddress } from './addresses.ts'
import { type HttpBody, httpBody } from './http-body.ts'

/** What every request of one source shares. */
export interface HttpSession {
  readonly policy: AddressPolicy
  /** How long nothing may happen, ms. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** A response that is not an error; its body is not read yet. */
export interface HttpResponse {
  /** Where it came from, after redirects. */
  readonly url: URL
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: HttpBody
}

const maxRedirects = 5
const redirects = [301, 302, 303, 307, 308]

/**
 * Gets `url` with `headers`. The address policy is applied to every address that is connected to,
 * after name resolution and again at each redirect.
 * @throws AgentError SOURCE_FORBIDDEN, SOURCE_UNREACHABLE, SOURCE_UNSUPPORTED
 */
export async function httpGet(
  url: URL,
  headers: Readonly<Record<string, string>>,
  session: HttpSession,
): Promise<HttpResponse> {
  let target = url
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const response = await requestOnce(target, { ...headers, ...credentials(url, target) }, session)
    const status = response.statusCode ?? 0
    if (!redirects.includes(status)) return accepted(target, response, session)
    response.destroy()
    target = redirectTarget(target, response.headers.location)
  }
  throw new AgentError(
    'SOURCE_UNREACHABLE',
    `${shownUrl(url)} redirects more than ${maxRedirects} times`,
  )
}

/** `url` for messages: without credentials and without the query, which may hold a token. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}${url.search ? '?…' : ''}`
}

function requestOnce(
  url: URL,
  headers: Readonly<Record<string, string>>,
  session: HttpSession,
): Promise<IncomingMessage> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  const refusal = isIP(host) ? session.policy.refusal(host, port) : undefined
  if (refusal) return Promise.reject(forbiddenAddress(shownUrl(url), host, refusal))
  const options: RequestOptions = {
    host,
    port,
    path: url.pathname + url.search,
    headers: { 'user-agent': 'heliograph', 'accept-encoding': 'identity', ...headers },
    agent: false,
    lookup: checkedLookup(url, port, session.policy),
    signal: session.signal,
  }
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp
    const request = send(options)
    const timer = setTimeout(() => request.destroy(silence(url, session)), session.timeoutMs)
    request.on('error', (error) => {
      clearTimeout(timer)
      reject(connectionProblem(url, error))
    })
    request.on('response', (response) => {
      clearTimeout(timer)
      resolve(response)
    })
    request.end()
  })
}

/** Resolves a name and leaves only addresses that are allowed: what was checked is what is used. */
function checkedLookup(url: URL, port: number, policy: AddressPolicy): LookupFunction {
  return (hostname, options, done) => {
    resolveName(hostname, { ...options, all: true }, (error, found) => {
      if (error) {
        done(error, '')
        return
      }
      const allowed = found.filter(({ address }) => !policy.refusal(address, port))
      const [first] = allowed
      if (!first) done(refusedName(url, port, found, policy), '')
      else if (options.all) done(null, allowed)
      else done(null, first.address, first.family)
    })
  }
}

function refusedName(
  url: URL,
  port: number,
  found: readonly LookupAddress[],
  policy: AddressPolicy,
): AgentError {
  const address = found[0]?.address ?? 'no address'
  return forbiddenAddress(shownUrl(url), address, policy.refusal(address, port) ?? 'is unknown')
}

function accepted(url: URL, response: IncomingMessage, session: HttpSession): HttpResponse {
  const status = response.statusCode ?? 0
  const problem = statusProblem(url, status) ?? encodingProblem(url, response.headers)
  if (problem) {
    response.destroy()
    throw problem
  }
  const body = httpBody(response, {
    timeoutMs: session.timeoutMs,
    silence: () => silence(url, session),
    problem: (error) => connectionProblem(url, error),
  })
  return { url, status, headers: response.headers, body }
}

/** What trying again may mend: the server's own trouble, and being asked to come later. */
const passing = [408, 425, 429]

function statusProblem(url: URL, status: number): AgentError | undefined {
  if (status === 200 || status === 206) return undefined
  const reason = { 401: ' (credentials are missing or wrong)', 404: ' (not found)' }[status] ?? ''
  return new AgentError(
    'SOURCE_UNREACHABLE',
    `${shownUrl(url)} answered with HTTP status ${status}${reason}`,
    { retryable: status >= 500 || passing.includes(status) },
  )
}

/** Compressed bodies can grow without bound; pictures and video are compressed themselves. */
function encodingProblem(url: URL, headers: IncomingMessage['headers']): AgentError | undefined {
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding === 'identity') return undefined
  return new AgentError(
    'SOURCE_UNSUPPORTED',
    `${shownUrl(url)} answered with the content encoding '${encoding}'; only identity is read`,
  )
}

function redirectTarget(from: URL, location: string | undefined): URL {
  const target =
    location !== undefined && URL.canParse(location, from.href) && new URL(location, from)
  if (target && /^https?:$/.test(target.protocol)) return target
  throw new AgentError(
    'SOURCE_FORBIDDEN',
    `${shownUrl(from)} redirects to something other than http or https`,
  )
}

/** Credentials of the URL go to its own server only, not to where it redirects. */
function credentials(original: URL, target: URL): Record<string, string> {
  const { username, password } = target.username ? target : original
  if (!username || (target.origin !== original.origin && !target.username)) return {}
  const pair = `${decoded(username)}:${decoded(password)}`
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function silence(url: URL, { timeoutMs }: HttpSession): AgentError {
  return new AgentError(
    'SOURCE_UNREACHABLE',
    `${shownUrl(url)} did not answer within ${timeoutMs} ms (timeoutMs)`,
    { retryable: true },
  )
}

function connectionProblem(url: URL, error: unknown): AgentError {
  if (error instanceof AgentError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = error instanceof Error ? error.message : String(error)
  return new AgentError('SOURCE_UNREACHABLE', `cannot read ${shownUrl(url)}: ${reason}`, {
    cause: error,
    retryable: !/CERT|TLS|SELF_SIGNED/.test(code),
  })
}
