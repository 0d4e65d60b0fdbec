import { AgentError } from '../core/errors.ts'
import { shownUrl } from '../net/shown-url.ts'

/** Where an agent is looked for, for messages: without credentials. */
export function shownAddress(url: URL): string {
  return shownUrl(url).replace(/\/$/, '')
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'no machine has this name',
  EAI_AGAIN: 'its name could not be looked up',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ECONNRESET: 'the connection broke off',
  EPIPE: 'the connection broke off',
}

/** A failed connection, as an error for people; an `AgentError` stays itself. */
export function unreachable(url: URL, cause: unknown): AgentError {
  if (cause instanceof AgentError) return cause
  const message = `cannot reach an agent at ${shownAddress(url)}: ${reasonOf(cause)}`
  return new AgentError('AGENT_UNREACHABLE', message, { cause, retryable: true })
}

const untrusted = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]

/** Several attempts, one for each address of a name, come as one error. */
function reasonOf(cause: unknown): string {
  const first = cause instanceof AggregateError ? cause.errors[0] : cause
  if (!(first instanceof Error)) return String(first)
  const code = 'code' in first ? String(first.code) : ''
  if (untrusted.includes(code)) {
    return `${first.message}; NODE_EXTRA_CA_CERTS=<file.pem> in the environment has it trusted`
  }
  return reasons[code] ?? first.message
}

/** No answer came in time. */
export function tooLate(url: URL, ms: number, what: string): AgentError {
  const message = `${what} got no answer from ${shownAddress(url)} within ${ms / 1000} s (--timeout)`
  return new AgentError('TIMEOUT', message, { retryable: true })
}
