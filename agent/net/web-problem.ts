import { STATUS_CODES } from 'node:http'
import { type ErrorCode, errorCodes } from '../../schemas/errors.ts'
import type { Problem } from '../../schemas/http.ts'
import { redact } from '../core/redact.ts'

/** Why a request is turned away. */
export interface WebProblem {
  readonly status: number
  readonly code: ErrorCode
  /** Credentials are removed from it. */
  readonly detail: string
  readonly retryable?: boolean
  readonly headers?: Readonly<Record<string, string>>
}

/** How a problem is sent, whichever way. */
export const problemType = 'application/problem+json'

/** Seconds after which a request that was too much may be tried again. */
const RETRY_S = '1'

/** A problem as its body says it (RFC 9457). `path` is what was asked for; a query is left out. */
export function problemBody(problem: WebProblem, path: string): Problem {
  const { status, code, detail, retryable = false } = problem
  const { meaning, cure } = errorCodes[code]
  return {
    type: `urn:heliograph:error:${code}`,
    title: meaning,
    status,
    detail: redact(detail),
    instance: path.replace(/\?.*$/s, '').slice(0, 300),
    code,
    retryable,
    cure,
  }
}

/** The header fields of a problem besides its type. */
export function problemHeaders(problem: WebProblem): Readonly<Record<string, string>> {
  const { status, retryable, headers } = problem
  return retryable && status >= 429 ? { 'retry-after': RETRY_S, ...headers } : (headers ?? {})
}

/** A problem as a whole answer that ends its connection, for where there is nothing but the connection. */
export function problemAnswer(problem: WebProblem, path: string): string {
  const body = JSON.stringify(problemBody(problem, path))
  const fields = {
    'content-type': problemType,
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    connection: 'close',
    ...problemHeaders(problem),
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n${lines.join('')}\r\n${body}`
}
