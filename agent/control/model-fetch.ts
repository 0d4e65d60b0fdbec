import { AgentError } from '../core/errors.ts'
import type { ModelStore } from '../store/store.ts'
import type { ServiceEvent } from './service-state.ts'

/** What came of fetching a model, as its service hears it. */
type News = Extract<ServiceEvent, { type: `model/${'progress' | 'fetched' | 'failed'}` }>

/** Fetches a service's model: the last one asked for, and no other. */
export class ModelFetch {
  readonly #store: ModelStore
  readonly #tell: (news: News, error?: AgentError) => void
  #abort = new AbortController()

  /** @param tell is given the error too where there is one */
  constructor(store: ModelStore, tell: (news: News, error?: AgentError) => void) {
    this.#store = store
    this.#tell = tell
  }

  /** Settles when it has told how it ended, or is asked for another. */
  async fetch(id: string): Promise<void> {
    this.#abort.abort()
    const abort = new AbortController()
    this.#abort = abort
    let shown = -1
    try {
      const model = await this.#store.ensure(id, {
        signal: abort.signal,
        onProgress: ({ done, total }) => {
          const progress = total ? Math.floor((done / total) * 20) / 20 : 0
          if (progress === shown || abort.signal.aborted) return
          shown = progress
          this.#tell({ type: 'model/progress', id, progress })
        },
      })
      if (!abort.signal.aborted) this.#tell({ type: 'model/fetched', model })
    } catch (cause) {
      if (abort.signal.aborted) return
      const error = AgentError.from(cause, 'MODEL_LOAD')
      this.#tell({ type: 'model/failed', id, error: error.toInfo() }, error)
    }
  }

  abort(): void {
    this.#abort.abort()
  }
}
