import { configuredStore } from '../configured-store.ts'
import type { StoredModel } from '../store/store.ts'
import type { ConfigFlags } from './config-flags.ts'
import { exitCodes } from './failure.ts'
import { interruptible } from './interruption.ts'
import { configOf, logOf } from './load.ts'
import { pullModel } from './pull-model.ts'
import { table } from './table.ts'

async function storeOf(flags: ConfigFlags) {
  const config = await configOf({ logLevel: 'warn', ...flags })
  return configuredStore(config, logOf(config.log.level))
}

/** Prints the models that can be asked for. */
export async function listModels(flags: ConfigFlags & { readonly json?: boolean }): Promise<void> {
  const store = await storeOf(flags)
  const models = await store.list()
  process.stdout.write(flags.json ? `${JSON.stringify(models, null, 2)}\n` : modelTable(models))
}

/** One line for each model: id, whether it is here, licence, what it does. */
export function modelTable(models: readonly StoredModel[]): string {
  const rows = models.map(({ manifest, state, bytes }) => [
    manifest.id,
    bytes === undefined ? state : `${state}, ${(bytes / 1e6).toFixed(1)} MB`,
    manifest.licence,
    manifest.title,
  ])
  return table([['MODEL', 'STATE', 'LICENCE', 'WHAT IT DOES'], ...rows])
}

/** Fetches a model and prints where it lies. @returns the exit code */
export async function pullOneModel(id: string, flags: ConfigFlags): Promise<number> {
  const store = await storeOf(flags)
  return interruptible(async (signal) => {
    const { file, sha256 } = await pullModel(store, id, signal)
    process.stdout.write(`${id} is ready: ${file}\nsha256 ${sha256}\n`)
    return exitCodes.fine
  })
}
