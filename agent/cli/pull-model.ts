import type { ResolvedModel } from '../../schemas/manifest.ts'
import type { ModelStore } from '../store/store.ts'
import { progress } from './progress.ts'

/**
 * Makes a model ready, showing how far it is on stderr.
 * @throws AgentError MODEL_UNKNOWN, MODEL_LOAD, MODEL_INTEGRITY
 */
export async function pullModel(
  store: ModelStore,
  id: string,
  signal: AbortSignal,
): Promise<ResolvedModel> {
  const shown = progress(process.stderr)
  let started = false
  try {
    return await store.ensure(id, {
      signal,
      onProgress({ phase, done, total }) {
        started = true
        shown.update(`${id}: ${phase}`, done, total)
      },
    })
  } finally {
    if (started) shown.end()
  }
}
