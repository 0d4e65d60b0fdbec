import { errorCodes } from '../../schemas/errors.ts'
import { AgentError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'

/** How the command line ends. */
export const exitCodes = {
  fine: 0,
  failed: 1,
  /** The command line or the configuration is wrong: trying again cannot help. */
  usage: 2,
} as const

/** What went wrong, for people: the code, the message and what mends it; a stack only for `debug`. */
export function failureText(error: unknown, debug = false): string {
  const known = AgentError.from(error)
  const lines = [`error ${known.code}: ${redact(known.message)}`, errorCodes[known.code].cure]
  const stack = debug && error instanceof Error ? error.stack : undefined
  return `${[...lines, ...(stack ? [redact(stack)] : [])].join('\n')}\n`
}

/** The exit code for a failure. */
export function exitCodeOf(error: unknown): number {
  const known = AgentError.from(error)
  return known.code === 'CONFIG_INVALID' ? exitCodes.usage : exitCodes.failed
}
