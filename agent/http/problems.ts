import { STATUS_CODES } from 'node:http'
import type { FastifyError } from 'fastify'
import type { ErrorCode } from '../../schemas/errors.ts'
import type { Problem } from '../../schemas/http.ts'
import { AgentError } from '../core/errors.ts'
import { problemBody, problemHeaders } from '../net/web-problem.ts'

/** A refusal whose status says more than its code. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly error: AgentError
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: ErrorCode,
    message: string,
    options: { readonly retryable?: boolean; readonly headers?: Record<string, string> } = {},
  ) {
    super(message)
    this.status = status
    this.error = new AgentError(code, message, { retryable: options.retryable ?? false })
    this.headers = options.headers ?? {}
  }
}

/** The status of each code (RFC 9110), where a refusal names no other. */
const statuses: Readonly<Record<ErrorCode, number>> = {
  CONFIG_INVALID: 500,
  MESSAGE_INVALID: 400,
  NOT_AUTHORIZED: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  AGENT_UNREACHABLE: 502,
  SOURCE_UNSUPPORTED: 422,
  SOURCE_FORBIDDEN: 403,
  SOURCE_UNREACHABLE: 502,
  SOURCE_DECODE: 422,
  MODEL_UNKNOWN: 404,
  MODEL_LOAD: 502,
  MODEL_INTEGRITY: 502,
  BACKEND_UNAVAILABLE: 422,
  INFERENCE_FAILED: 500,
  SINK_UNSUPPORTED: 422,
  SINK_FORBIDDEN: 403,
  SINK_FAILED: 502,
  TIMEOUT: 504,
  DEADLINE_EXCEEDED: 408,
  LIMIT_EXCEEDED: 422,
  SERVICE_CRASHED: 503,
  INTERNAL: 500,
}

/** An error as the web answers it. */
export interface ProblemAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Problem
}

/** Whatever was thrown, as a problem (RFC 9457). `path` is what was asked for, without its query. */
export function problemOf(thrown: unknown, path: string): ProblemAnswer {
  const refusal = thrown instanceof Refusal ? thrown : refusalOf(thrown)
  const { status, error, headers } = refusal
  const { code, message, retryable } = error
  const problem = { status, code, detail: message, retryable, headers }
  return { status, headers: problemHeaders(problem), body: problemBody(problem, path) }
}

function refusalOf(thrown: unknown): Refusal {
  if (isFastifyError(thrown)) return ofFastify(thrown)
  const error = AgentError.from(thrown)
  const { code, message, retryable } = error
  const status = code === 'LIMIT_EXCEEDED' && retryable ? 429 : statuses[code]
  return new Refusal(status, code, message, { retryable })
}

function isFastifyError(thrown: unknown): thrown is FastifyError {
  return thrown instanceof Error && 'statusCode' in thrown && 'code' in thrown
}

/** What Fastify itself refuses: bodies too large, media types, paths. */
function ofFastify({ statusCode = 500, code, message }: FastifyError): Refusal {
  if (statusCode >= 500) return new Refusal(statusCode, 'INTERNAL', message)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new Refusal(413, 'LIMIT_EXCEEDED', 'the body is larger than http.limits.bodyBytes')
  }
  const text = message || (STATUS_CODES[statusCode] ?? 'refused')
  return new Refusal(statusCode, statusCode === 413 ? 'LIMIT_EXCEEDED' : 'MESSAGE_INVALID', text)
}
