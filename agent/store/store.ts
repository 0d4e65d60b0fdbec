import { stat } from 'node:fs/promises'
import type { ModelManifest, ResolvedModel } from '../../schemas/manifest.ts'
import { AgentError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { cachedBytes, cachedModel } from './cache.ts'
import { type HashFile, rememberedHashes } from './file-hash.ts'
import { type ManifestEntry, manifestReader } from './manifests.ts'
import { type FilePlace, type Place, type PlaceOptions, placesOf } from './places.ts'
import { pullInChild } from './pull-child.ts'
import { type PullOptions, SharedPulls, type StartPull } from './shared-pull.ts'

/** A model that can be asked for, and whether it lies on this machine. */
export interface StoredModel {
  readonly manifest: ModelManifest
  readonly state: 'ready' | 'absent'
  /** Size of the model file, where it is ready. */
  readonly bytes?: number
}

/** The models of this machine. */
export interface ModelStore {
  /** Built-in and installed models, sorted by id. @throws AgentError CONFIG_INVALID */
  list(): Promise<readonly StoredModel[]>
  /** @throws AgentError MODEL_UNKNOWN listing the known ids, CONFIG_INVALID */
  find(id: string): Promise<ModelManifest>
  /**
   * Makes the model ready: from the cache, else fetched, checked and converted. Concurrent calls for
   * one model share one pull. @throws AgentError MODEL_UNKNOWN, MODEL_LOAD, MODEL_INTEGRITY
   */
  ensure(id: string, options?: PullOptions): Promise<ResolvedModel>
}

/** What a store works with. */
export interface StoreParts extends PlaceOptions {
  /** Each subfolder with a manifest.json or manifest.yaml is a model. */
  readonly folders: readonly string[]
  readonly log: Log
  /** The program that pulls; by default the one beside this module. */
  readonly pullEntry?: URL
}

/** The model store. It loads no native module and no ONNX library: a child process pulls. */
export function modelStore(parts: StoreParts): ModelStore {
  const { cacheFolder, log } = parts
  const pullEntry = parts.pullEntry ?? new URL('./pull-worker.js', import.meta.url)
  const manifests = manifestReader(parts.folders, log)
  const hash = rememberedHashes()
  const pulls = new SharedPulls()

  async function pull(entry: ManifestEntry, places: readonly Place[], options: PullOptions) {
    const { id } = entry.manifest
    const offers = places.flatMap((place) => (place.kind === 'cache' ? [place.offer] : []))
    if (offers.length === 0) throw nothingToPull(entry)
    log.info({ model: id }, 'pulling a model')
    const start: StartPull = (shared) =>
      pullInChild({ id, offers, cacheFolder, entry: pullEntry }, shared)
    await pulls.join(id, start, options)
  }

  return {
    async list() {
      const entries = [...(await manifests()).values()]
      entries.sort((a, b) => (a.manifest.id < b.manifest.id ? -1 : 1))
      return Promise.all(entries.map((entry) => describe(entry, parts)))
    },
    async find(id) {
      return known(await manifests(), id).manifest
    },
    async ensure(id, options = {}) {
      const entry = known(await manifests(), id)
      const places = await placesOf(entry, parts)
      const ready = await readyModel(entry.manifest, places, hash)
      if (ready) return ready
      await pull(entry, places, options)
      const pulled = await readyModel(entry.manifest, places, hash)
      if (!pulled) throw new AgentError('MODEL_LOAD', `'${id}' was pulled, then removed again`)
      log.info({ model: id, file: pulled.file, sha256: pulled.sha256 }, 'model ready')
      return pulled
    },
  }
}

function known(entries: ReadonlyMap<string, ManifestEntry>, id: string): ManifestEntry {
  const entry = entries.get(id)
  if (entry) return entry
  const ids = [...entries.keys()].sort().join(' ')
  throw new AgentError('MODEL_UNKNOWN', `no model '${id}' (known: ${ids})`)
}

async function describe(entry: ManifestEntry, options: PlaceOptions): Promise<StoredModel> {
  const { manifest } = entry
  for (const place of await placesOf(entry, options)) {
    const bytes =
      place.kind === 'file' ? (await stat(place.file)).size : await cachedBytes(place.offer.target)
    if (bytes !== undefined) return { manifest, state: 'ready', bytes }
  }
  return { manifest, state: 'absent' }
}

async function readyModel(
  manifest: ModelManifest,
  places: readonly Place[],
  hash: HashFile,
): Promise<ResolvedModel | undefined> {
  for (const place of places) {
    const found =
      place.kind === 'file'
        ? await modelInPlace(place, hash)
        : await cachedModel(place.offer.target)
    if (found) return { manifest, file: found.file, sha256: found.sha256 }
  }
  return undefined
}

async function modelInPlace(place: FilePlace, hash: HashFile) {
  const sha256 = await hash(place.file)
  if (place.sha256 === undefined || place.sha256 === sha256) return { file: place.file, sha256 }
  throw new AgentError(
    'MODEL_INTEGRITY',
    `${place.file} has the sha256 ${sha256}, its manifest pins ${place.sha256}`,
  )
}

function nothingToPull({ manifest, folder }: ManifestEntry): AgentError {
  const paths = manifest.providers.map(({ path }) => path).join(', ')
  return new AgentError(
    'MODEL_LOAD',
    `the model '${manifest.id}' has no file ${paths} in ${folder}`,
  )
}
