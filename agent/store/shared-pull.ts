import { AgentError } from '../core/errors.ts'
import type { PullProgress } from './pull-messages.ts'

/** What a caller that waits for a pull may want. */
export interface PullOptions {
  readonly onProgress?: (progress: PullProgress) => void
  /** Ends the waiting; the pull itself ends when nobody waits for it any more. */
  readonly signal?: AbortSignal
}

interface SharedPull {
  readonly done: Promise<void>
  readonly cancel: AbortController
  readonly waiting: Set<PullOptions>
}

/** Runs a pull with one progress listener and one signal. */
export type StartPull = (options: Required<PullOptions>) => Promise<void>

/** Lets several callers wait for one pull of the same model. */
export class SharedPulls {
  readonly #running = new Map<string, SharedPull>()

  /**
   * Waits for the running pull of `id`, or for one that `start` begins.
   * @throws AgentError what the pull throws; MODEL_LOAD when the caller's own signal fires
   */
  async join(id: string, start: StartPull, options: PullOptions): Promise<void> {
    if (options.signal?.aborted) throw cancelled(id, options.signal)
    const pull = this.#running.get(id) ?? this.#begin(id, start)
    pull.waiting.add(options)
    try {
      await settled(id, pull.done, options.signal)
    } finally {
      pull.waiting.delete(options)
      if (pull.waiting.size === 0) {
        this.#forget(id, pull)
        pull.cancel.abort()
      }
    }
  }

  #begin(id: string, start: StartPull): SharedPull {
    const cancel = new AbortController()
    const waiting = new Set<PullOptions>()
    const onProgress = (progress: PullProgress) => {
      for (const options of waiting) options.onProgress?.(progress)
    }
    const pull = { done: start({ onProgress, signal: cancel.signal }), cancel, waiting }
    this.#running.set(id, pull)
    return pull
  }

  #forget(id: string, pull: SharedPull): void {
    if (this.#running.get(id) === pull) this.#running.delete(id)
  }
}

/** Settles as `done` does, or rejects as soon as the signal fires. */
async function settled(id: string, done: Promise<void>, signal?: AbortSignal): Promise<void> {
  const over = new AbortController()
  try {
    await new Promise<void>((resolve, reject) => {
      done.then(resolve, reject)
      const cancel = () => reject(signal && cancelled(id, signal))
      signal?.addEventListener('abort', cancel, { signal: over.signal })
    })
  } finally {
    over.abort()
  }
}

function cancelled(id: string, signal: AbortSignal): AgentError {
  return new AgentError('MODEL_LOAD', `the pull of '${id}' was cancelled`, {
    cause: signal.reason,
    retryable: true,
  })
}
