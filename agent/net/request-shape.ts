import type { IncomingMessage } from 'node:http'
import type { WebProblem } from './web-problem.ts'

/** Bounds on the head of a request. */
export interface HeadLimits {
  readonly urlBytes: number
  readonly headers: number
}

/** Fields of which a second one is read differently by different programs, on which attacks are built. */
const single = ['host', 'origin', 'authorization', 'content-type', 'content-length', 'expect']

/**
 * What is wrong with the head of a request before anybody looks at what it asks for (RFC 9112). A target in absolute
 * form for this host becomes one in origin form.
 */
export function misshapen(request: IncomingMessage, limits: HeadLimits): WebProblem | undefined {
  return wrongLimits(request, limits) ?? wrongFields(request) ?? wrongTarget(request)
}

function wrongLimits({ url = '', rawHeaders }: IncomingMessage, limits: HeadLimits) {
  if (url.length > limits.urlBytes) {
    return tooMuch(
      414,
      `the URL has ${url.length} bytes; http.limits.urlBytes is ${limits.urlBytes}`,
    )
  }
  if (rawHeaders.length / 2 <= limits.headers) return
  return tooMuch(431, `there are more header fields than http.limits.headers (${limits.headers})`)
}

function wrongFields(request: IncomingMessage): WebProblem | undefined {
  const { headers, headersDistinct, httpVersion } = request
  const twice = single.find((name) => (headersDistinct[name]?.length ?? 0) > 1)
  if (twice) return invalid(`the header field '${twice}' comes more than once`)
  if (httpVersion !== '1.0' && headers.host === undefined) return invalid('a Host is missing')
  const coding = headers['transfer-encoding']
  if (coding === undefined) return
  if (httpVersion === '1.0') return invalid('HTTP/1.0 knows no Transfer-Encoding')
  if (coding.toLowerCase() === 'chunked') return
  return invalid(`Transfer-Encoding '${coding.slice(0, 50)}' is not known; chunked is`, 501)
}

function wrongTarget(request: IncomingMessage): WebProblem | undefined {
  const { url = '', method, headers } = request
  const [, authority, rest] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url) ?? []
  if (authority !== undefined) {
    if (authority.toLowerCase() !== headers.host?.toLowerCase()) {
      return invalid('the URL names another host than Host does')
    }
    request.url = rest?.startsWith('/') ? rest : `/${rest}`
  } else if (!url.startsWith('/') && !(method === 'OPTIONS' && url === '*')) {
    return invalid('the target of the request must be a path')
  }
  return wrongPath(request.url ?? '')
}

function wrongPath(url: string): WebProblem | undefined {
  const [path = ''] = url.split('?')
  if (/[\0-\x20\x7f\\#]|%(?:0|1|7f|5c|2f|(?![0-9a-f]{2}))/i.test(path)) {
    return invalid('the path holds a control character, a backslash, an encoded slash or a stray %')
  }
  const isDots = (segment: string) => /^(?:\.|%2e){1,2}$/i.test(segment)
  if (path.includes('//') || path.split('/').some(isDots)) {
    return invalid('the path holds an empty segment or one of dots')
  }
  return undefined
}

function invalid(detail: string, status = 400): WebProblem {
  return { status, code: 'MESSAGE_INVALID', detail }
}

function tooMuch(status: number, detail: string): WebProblem {
  return { status, code: 'LIMIT_EXCEEDED', detail }
}
