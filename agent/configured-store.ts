import type { Config } from '../schemas/config.ts'
import type { Log } from './core/log.ts'
import { type ModelStore, modelStore } from './store/store.ts'

/** The model store that the configuration describes; its models have a batch axis where batches are asked for. */
export function configuredStore({ models, limits }: Config, log: Log): ModelStore {
  return modelStore({ ...models, batched: limits.batchSize > 1, log })
}
