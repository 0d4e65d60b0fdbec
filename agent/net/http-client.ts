import type { IncomingMessage } from 'node:http'
import { AgentError } from '../core/errors.ts'
import { connectionProblem, silence } from './connection-problem.ts'
import { basicAuthorization } from './credentials.ts'
import { type HttpBody, httpBody } from './http-body.ts'
import { type HttpSession, requestOnce } from './http-request.ts'
import { shownUrl } from './shown-url.ts'

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
 * @throws AgentError *_FORBIDDEN, *_UNSUPPORTED, SOURCE_UNREACHABLE, SINK_FAILED
 */
export async function httpGet(
  url: URL,
  headers: Readonly<Record<string, string>>,
  session: HttpSession,
): Promise<HttpResponse> {
  const { side } = session.policy
  let target = url
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const all = { ...headers, ...authorization(url, target) }
    const response = await requestOnce(target, { method: 'GET', headers: all }, session)
    const status = response.statusCode ?? 0
    if (!redirects.includes(status)) return accepted(target, response, session)
    response.destroy()
    target = redirectTarget(target, response.headers.location, session)
  }
  throw new AgentError(side.failed, `${shownUrl(url)} redirects more than ${maxRedirects} times`)
}

function accepted(url: URL, response: IncomingMessage, session: HttpSession): HttpResponse {
  const { policy, timeoutMs } = session
  const status = response.statusCode ?? 0
  const problem =
    statusProblem(url, status, session) ?? encodingProblem(url, response.headers, session)
  if (problem) {
    response.destroy()
    throw problem
  }
  const body = httpBody(response, {
    timeoutMs,
    silence: () => silence(url, timeoutMs, policy.side),
    problem: (error) => connectionProblem(url, error, policy.side),
  })
  return { url, status, headers: response.headers, body }
}

/** What a server said to what it was sent. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
}

/** Bytes of an answer that are read, so that its connection can be used again. */
const maxAnswerBytes = 64 * 1024

/**
 * Posts `body`, with the credentials of `url`. Whatever the status, it is the answer; redirects are not followed.
 * @throws AgentError *_FORBIDDEN, SOURCE_UNREACHABLE, SINK_FAILED
 */
export async function httpPost(
  url: URL,
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
  session: HttpSession,
): Promise<HttpAnswer> {
  const all = { ...basicAuthorization(url), ...headers, 'content-length': String(body.length) }
  const response = await requestOnce(url, { method: 'POST', headers: all, body }, session)
  const late = setTimeout(() => response.destroy(), session.timeoutMs)
  try {
    let read = 0
    for await (const chunk of response) {
      read += chunk.length
      if (read > maxAnswerBytes) break
    }
  } catch {
    // The status is what counts; a connection that broke off is not used again.
  } finally {
    clearTimeout(late)
  }
  return { status: response.statusCode ?? 0, headers: response.headers }
}

/** Whether trying again may mend `status`: the server's own trouble, and being asked to come later. */
export function isPassing(status: number): boolean {
  return status >= 500 || [408, 425, 429].includes(status)
}

function statusProblem(url: URL, status: number, { policy }: HttpSession): AgentError | undefined {
  if (status === 200 || status === 206) return undefined
  const reason = { 401: ' (credentials are missing or wrong)', 404: ' (not found)' }[status] ?? ''
  return new AgentError(
    policy.side.failed,
    `${shownUrl(url)} answered with HTTP status ${status}${reason}`,
    { retryable: isPassing(status) },
  )
}

/** Compressed bodies can grow without bound; pictures and video are compressed themselves. */
function encodingProblem(
  url: URL,
  headers: IncomingMessage['headers'],
  { policy }: HttpSession,
): AgentError | undefined {
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding === 'identity') return undefined
  return new AgentError(
    policy.side.unsupported,
    `${shownUrl(url)} answered with the content encoding '${encoding}'; only identity is read`,
  )
}

function redirectTarget(from: URL, location: string | undefined, { policy }: HttpSession): URL {
  const target =
    location !== undefined && URL.canParse(location, from.href) && new URL(location, from)
  if (target && /^https?:$/.test(target.protocol)) return target
  throw new AgentError(
    policy.side.forbidden,
    `${shownUrl(from)} redirects to something other than http or https`,
  )
}

/** Credentials of the URL go to its own server only, not to where it redirects. */
function authorization(original: URL, target: URL): Record<string, string> {
  if (target.username) return basicAuthorization(target)
  return target.origin === original.origin ? basicAuthorization(original) : {}
}
