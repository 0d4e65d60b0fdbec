import type { AgentInfo } from '../../schemas/state.ts'
import { AgentError } from '../core/errors.ts'
import type { MediaChoice } from './messages.ts'
import { runProbe } from './probe.ts'

/** The media engine and what it can do here, as `$info` shows it. */
export type MediaFound = NonNullable<AgentInfo['media']>

/**
 * What the media engine can do on this machine, found out in a process of its own.
 * @param entry the compiled `media/probe.js` @throws AgentError BACKEND_UNAVAILABLE
 */
export async function probeMedia(entry: URL, engine: MediaChoice['engine']): Promise<MediaFound> {
  try {
    return (await runProbe(entry, [engine])) as MediaFound
  } catch (error) {
    throw new AgentError('BACKEND_UNAVAILABLE', `the media engine '${engine}': ${reason(error)}`, {
      cause: error,
    })
  }
}

/** The line of what a failed process wrote that says why. */
function reason(error: unknown): string {
  const written = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
  const [, why] = /^AgentError: (.+)$/m.exec(written) ?? []
  return why ?? AgentError.from(error).message
}
