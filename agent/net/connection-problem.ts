import { AgentError } from '../core/errors.ts'
import { shownUrl } from './shown-url.ts'
import type { Side } from './side.ts'

/** What went wrong between us and `url`, under the code of `side`; an `AgentError` stays itself. */
export function connectionProblem(url: URL, error: unknown, side: Side): AgentError {
  if (error instanceof AgentError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const isCertificate = /CERT|TLS|SELF_SIGNED/.test(code)
  return new AgentError(side.failed, `cannot ${side.attempt} ${shownUrl(url)}: ${why(error)}`, {
    cause: error,
    retryable: side.retriesCertificates || !isCertificate,
  })
}

/** That `url` said nothing for `timeoutMs`. */
export function silence(url: URL, timeoutMs: number, side: Side): AgentError {
  return new AgentError(
    side.failed,
    `${shownUrl(url)} did not answer within ${timeoutMs} ms (timeoutMs)`,
    { retryable: true },
  )
}

/** Several attempts, one for each address of a name, come as one error without a message of its own. */
function why(error: unknown): string {
  if (error instanceof AggregateError && !error.message) {
    return error.errors.map((each) => why(each)).join('; ')
  }
  return error instanceof Error ? error.message : String(error)
}
