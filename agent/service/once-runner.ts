import { AgentError } from '../core/errors.ts'
import type { Delivered, Source } from '../core/stages.ts'
import type { Inferrer } from '../pipeline/results.ts'
import type { CrashPlace } from './crash-record.ts'
import { InputRunner } from './input-runner.ts'
import type { Once } from './messages.ts'

/** What one request needs of its service. */
export interface OnceParts {
  readonly once: Once
  readonly source: Source
  readonly inferrer: Inferrer
  readonly place: CrashPlace
  /** Samples alive at once. */
  readonly maxAlive: number
  /** Takes each result, in order; the next sample's slot is free when it has settled. Its failure is the request's. */
  answer(delivered: Delivered): Promise<void>
  /** Nobody waits for answers any more. */
  readonly signal: AbortSignal
}

/**
 * Reads a source on behalf of one request: the whole of a finite one, the first sample of a live one; nothing of
 * one that moves where only stills are asked for.
 * Resolves when every result was taken and no sample is alive.
 * @throws AgentError of the source
 */
export async function runOnce(parts: OnceParts): Promise<void> {
  const { once, source, answer, signal } = parts
  let given = 0
  let failure: AgentError | undefined
  let settle: (error?: AgentError) => void = () => {}
  const over = new Promise<void>((resolve, reject) => {
    settle = (error) => (error ? reject(error) : resolve())
  })
  const runner = new InputRunner({
    id: once.input ?? 'once',
    spec: once.spec,
    source,
    inferrer: parts.inferrer,
    place: parts.place,
    maxAlive: parts.maxAlive,
    async deliver(delivered) {
      if ((source.live && given > 0) || (once.stillsOnly && !runner.isStill)) return
      given += 1
      await answer(delivered).catch((error: unknown) => settle(AgentError.from(error)))
      if (source.live) settle()
    },
    report({ state, error }) {
      if (state === 'live' && once.stillsOnly && !runner.isStill) settle()
      if (state === 'ended') settle(given === 0 ? failure : undefined)
      if ((state === 'failed' || state === 'retrying') && error) settle(AgentError.fromInfo(error))
    },
    fault: (error) => {
      failure = error
    },
  })
  if (once.stillsOnly && source.live) return
  signal.addEventListener('abort', () => settle(), { once: true })
  if (!signal.aborted) runner.open()
  try {
    if (!signal.aborted) await over
  } finally {
    await runner.close()
  }
}
