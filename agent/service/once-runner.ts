import type { Result } from '../../schemas/results.ts'
import { AgentError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'
import type { Delivered, Source } from '../core/stages.ts'
import type { Inferrer } from '../pipeline/results.ts'
import type { CrashPlace } from './crash-record.ts'
import { InputRunner } from './input-runner.ts'
import type { Once } from './messages.ts'

/** Results that one answer carries, at most: more belong into an input of the service. */
const MAX_RESULTS = 1000

/** What one request needs of its service. */
export interface OnceParts {
  readonly once: Once
  readonly source: Source
  readonly inferrer: Inferrer
  readonly place: CrashPlace
  publish(delivered: Delivered): void
  /** Fires when nobody waits for the answer any more. */
  readonly late: AbortSignal
}

/**
 * Reads a source on behalf of one request: the whole of a finite one, the first sample of a live one.
 * @throws AgentError of the source; LIMIT_EXCEEDED past 1000 results; TIMEOUT
 */
export async function runOnce(parts: OnceParts): Promise<Result[]> {
  const { once, source, inferrer, place, publish } = parts
  const found: Result[] = []
  let failure: AgentError | undefined
  let settle: (error?: AgentError) => void = () => {}
  const over = new Promise<void>((resolve, reject) => {
    settle = (error) => (error ? reject(error) : resolve())
  })
  const runner = new InputRunner({
    id: once.input ?? 'once',
    spec: once.spec,
    source,
    inferrer,
    place,
    maxAlive: 2,
    deliver({ result, frame }) {
      if (source.live && found.length > 0) return
      if (found.length >= MAX_RESULTS) {
        settle(
          new AgentError(
            'LIMIT_EXCEEDED',
            `'once' gives ${MAX_RESULTS} results at most; set it as an input instead`,
          ),
        )
        return
      }
      const tagged = once.tag === undefined ? result : { ...result, tag: once.tag }
      found.push(tagged)
      if (once.publish) publish({ result: tagged, frame, requested: true })
      if (source.live) settle()
    },
    report({ state, error }) {
      if (state === 'ended') settle(found.length === 0 ? failure : undefined)
      if ((state === 'failed' || state === 'retrying') && error) settle(AgentError.fromInfo(error))
    },
    fault: (error) => {
      failure = error
    },
  })
  parts.late.addEventListener('abort', () => settle(noResult(once)), { once: true })
  runner.open()
  try {
    await over
    return found
  } finally {
    await runner.close()
  }
}

function noResult({ spec }: Once): AgentError {
  const message = `'once' got no result of '${redact(spec.url).slice(0, 200)}' in time`
  return new AgentError('TIMEOUT', message, { retryable: true })
}
