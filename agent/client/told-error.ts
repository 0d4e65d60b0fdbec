import { type ErrorCode, errorCodes } from '../../schemas/errors.ts'
import { AgentError } from '../core/errors.ts'

/** A failure as an agent tells it, over whichever door. */
interface ToldFailure {
  readonly code?: string
  readonly message?: string
  readonly retryable?: boolean
}

/** What an agent answered with, as an error; codes of newer agents become INTERNAL and stay in the message. */
export function toldError({ code = '', message = '', retryable = false }: ToldFailure): AgentError {
  if (Object.hasOwn(errorCodes, code)) {
    return new AgentError(code as ErrorCode, message, { retryable })
  }
  return new AgentError('INTERNAL', `${code}: ${message}`, { retryable })
}
