import type { Problem } from '../../schemas/http.ts'
import { AgentError } from '../core/errors.ts'
import { toldError } from './told-error.ts'
import { shownAddress } from './unreachable.ts'

/** A problem (RFC 9457) as an error. */
export function problemError(problem: Problem): AgentError {
  return toldError({ ...problem, message: problem.detail })
}

/** An answer that is no success, as an error. `text` is its body. */
export function refusalOf(url: URL, status: number, text: string): AgentError {
  const problem = problemIn(text)
  if (problem) return problemError(problem)
  const where = shownAddress(url)
  const said = text.trim().split('\n')[0]?.slice(0, 200) ?? ''
  const answer = `${where} answered with HTTP status ${status}${said ? ` (${said})` : ''}`
  if (status === 401 || status === 403) return new AgentError('NOT_AUTHORIZED', answer)
  const retryable = status >= 500
  return new AgentError('AGENT_UNREACHABLE', `${answer}, not as an agent does`, { retryable })
}

function problemIn(text: string): Problem | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isProblem = typeof value === 'object' && value !== null && 'code' in value
    return isProblem && 'detail' in value ? (value as Problem) : undefined
  } catch {
    return undefined
  }
}
