import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ModelProvider } from '../../schemas/manifest.ts'
import { withBatchAxis } from './batch-axis.ts'
import { localFile } from './local-file.ts'
import type { ManifestEntry } from './manifests.ts'
import type { Offer } from './pull-messages.ts'
import { CONVERTER_VERSION } from './tfjs/version.ts'

/** A model file that is used where it is. */
export interface FilePlace {
  readonly kind: 'file'
  /** Absolute, links resolved. */
  readonly file: string
  readonly sha256?: string
}

/** Where the model of one provider lies: a file used as it is, or a folder of the cache. */
export type Place = FilePlace | { readonly kind: 'cache'; readonly offer: Offer }

/** What decides where models lie. */
export interface PlaceOptions {
  /** Where fetched models are kept; made when it is needed. */
  readonly cacheFolder: string
  /** Whether models are converted with a batch axis, where their manifests say that they can. */
  readonly batched?: boolean
}

/**
 * The places where a model may lie, in the order of its providers.
 * @throws AgentError MODEL_LOAD when a `file` leads out of the manifest's folder
 */
export async function placesOf(
  { manifest, folder }: ManifestEntry,
  { cacheFolder, batched = false }: PlaceOptions,
): Promise<readonly Place[]> {
  const providers = manifest.providers.map((provider) => withBatchAxis(provider, batched))
  const places = providers.map(async (provider): Promise<Place | undefined> => {
    if (provider.type === 'npm') return cachePlace(provider)
    if (folder === undefined) return undefined
    const file = await localFile(folder, provider.path)
    if (file === undefined) return undefined
    const { sha256 } = provider
    if (!provider.convert) return { kind: 'file', file, ...(sha256 !== undefined && { sha256 }) }
    return cachePlace(provider, await fingerprint(file))
  })
  return (await Promise.all(places)).filter((place) => place !== undefined)

  function cachePlace(provider: ModelProvider, source?: string): Place {
    const target = join(cacheFolder, manifest.id, recipeKey(provider, source))
    return { kind: 'cache', offer: { provider, target, ...(folder !== undefined && { folder }) } }
  }
}

/** A short name for how a model was made: another recipe gets another folder of the cache. */
function recipeKey(provider: ModelProvider, source?: string): string {
  const version = provider.convert ? CONVERTER_VERSION : 0
  const recipe = JSON.stringify([provider, version, source])
  return createHash('sha256').update(recipe).digest('hex').slice(0, 16)
}

/** Changes when a local graph is replaced by another one. */
async function fingerprint(file: string): Promise<string> {
  const [graph, folder] = await Promise.all([stat(file), stat(dirname(file))])
  return `${graph.size} ${graph.mtimeMs} ${folder.mtimeMs}`
}
