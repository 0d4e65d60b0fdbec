import { STATUS_CODES } from 'node:http'
import type { FastifyError } from 'fastify'
import type { Problem } from '../../schemas/http.ts'
import { type RefusalDoc, type RefusalStatus, refusals, statusOf } from '../../schemas/problems.ts'
import { AgentError } from '../core/errors.ts'
import { problemBody, problemHeaders } from '../net/web-problem.ts'

/** What is answered in place of a result. */
interface Refused {
  readonly status: number
  readonly error: AgentError
  readonly headers?: Readonly<Record<string, string>>
}

/** A refusal whose status says more than its code. */
export class Refusal extends Error implements Refused {
  override readonly name = 'Refusal'
  readonly status: RefusalStatus
  readonly error: AgentError
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: RefusalStatus,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    const { code, retryable = false }: RefusalDoc = refusals[status]
    this.status = status
    this.error = new AgentError(code, message, { retryable })
    this.headers = headers
  }
}

/** An error as the web answers it. */
export interface ProblemAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Problem
}

/** Whatever was thrown, as a problem (RFC 9457). `path` is what was asked for, without its query. */
export function problemOf(thrown: unknown, path: string): ProblemAnswer {
  const { status, error, headers = {} } = thrown instanceof Refusal ? thrown : refusedBy(thrown)
  const { code, message, retryable } = error
  const problem = { status, code, detail: message, retryable, headers }
  return { status, headers: problemHeaders(problem), body: problemBody(problem, path) }
}

function refusedBy(thrown: unknown): Refused {
  if (isFastifyError(thrown)) return byFastify(thrown)
  const error = AgentError.from(thrown)
  const { code, retryable } = error
  return { status: code === 'LIMIT_EXCEEDED' && retryable ? 429 : statusOf[code], error }
}

function isFastifyError(thrown: unknown): thrown is FastifyError {
  return thrown instanceof Error && 'statusCode' in thrown && 'code' in thrown
}

/** What Fastify itself refuses: bodies too large, media types, paths. */
function byFastify({ statusCode: status = 500, code, message }: FastifyError): Refused {
  if (status >= 500) return { status, error: new AgentError('INTERNAL', message) }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new Refusal(413, 'the body is larger than http.limits.bodyBytes')
  }
  const text = message || (STATUS_CODES[status] ?? 'refused')
  return {
    status,
    error: new AgentError(status === 413 ? 'LIMIT_EXCEEDED' : 'MESSAGE_INVALID', text),
  }
}
