import type { ErrorCode } from '../../schemas/errors.ts'
import type { ErrorInfo } from '../../schemas/state.ts'

/**
 * The only error class this project throws on purpose.
 *
 * `code` says what went wrong, `retryable` whether trying again can help, `cause` keeps the original
 * error. The message names what was attempted, the offending value and what is allowed; it never
 * holds credentials (see `core/redact.ts`).
 */
export class AgentError extends Error {
  override readonly name = 'AgentError'
  readonly code: ErrorCode
  readonly retryable: boolean

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; retryable?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryable = options.retryable ?? false
  }

  /** Keeps an `AgentError`; wraps anything else under `code`. */
  static from(error: unknown, code: ErrorCode = 'INTERNAL'): AgentError {
    if (error instanceof AgentError) return error
    return new AgentError(code, error instanceof Error ? error.message : String(error), {
      cause: error,
    })
  }

  /** The error as it travels: over IPC and on the wire. */
  toInfo(): ErrorInfo & { code: ErrorCode; retryable: boolean } {
    return { code: this.code, message: this.message, retryable: this.retryable }
  }

  /** The inverse of `toInfo`. */
  static fromInfo(info: { code: ErrorCode; message: string; retryable?: boolean }): AgentError {
    return new AgentError(info.code, info.message, { retryable: info.retryable ?? false })
  }
}
