import type { ErrorCode } from './errors.ts'

/** The status of each code (RFC 9110), where a refusal names no other. */
export const statusOf: Readonly<Record<ErrorCode, number>> = {
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

/** A refusal, for people. */
export interface RefusalDoc {
  readonly code: ErrorCode
  readonly meaning: string
  /** The same request may be taken later. */
  readonly retryable?: boolean
}

/** Refusals whose status says more than their code, by status. */
export const refusals = {
  401: {
    code: 'NOT_AUTHORIZED',
    meaning: 'Clients authenticate here: the token is missing or not known.',
  },
  403: {
    code: 'NOT_AUTHORIZED',
    meaning: 'The host or the web page is not listed, or the role of the token does not suffice.',
  },
  405: {
    code: 'MESSAGE_INVALID',
    meaning: 'The path has not this method; `Allow` names those that it has.',
  },
  406: { code: 'MESSAGE_INVALID', meaning: '`Accept` allows nothing that can be answered.' },
  412: {
    code: 'CONFLICT',
    meaning: '`If-Match` or `If-None-Match` asks for another configuration than there is.',
  },
  413: { code: 'LIMIT_EXCEEDED', meaning: 'The body is too large.' },
  415: { code: 'MESSAGE_INVALID', meaning: 'The body is compressed.' },
  422: { code: 'CONFLICT', meaning: 'The `Idempotency-Key` was used for another request.' },
  429: {
    code: 'LIMIT_EXCEEDED',
    meaning: 'Too much at once; `Retry-After` says when to come back.',
    retryable: true,
  },
  503: {
    code: 'LIMIT_EXCEEDED',
    meaning: 'As many event streams are open as may be.',
    retryable: true,
  },
  507: {
    code: 'LIMIT_EXCEEDED',
    meaning: 'Uploads take all the room that they may.',
    retryable: true,
  },
} as const satisfies Readonly<Record<number, RefusalDoc>>

/** A status of theirs. */
export type RefusalStatus = keyof typeof refusals
