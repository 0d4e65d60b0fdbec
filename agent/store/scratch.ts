import { mkdir, mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { AgentError } from '../core/errors.ts'

/** A pull touches its folder at least this often while it gets on. */
const TOUCH_MS = 10_000
/** A folder that nobody touched for so long belongs to a pull whose processes were killed. */
const STALE_MS = 3_600_000

/**
 * An empty folder on the cache's own disk; what dead pulls have left behind is removed.
 * @throws AgentError MODEL_LOAD when nothing can be written there
 */
export async function makeScratch(cacheFolder: string): Promise<string> {
  const parent = join(cacheFolder, '.pulls')
  try {
    await mkdir(parent, { recursive: true })
    await sweep(parent)
    return await mkdtemp(join(parent, 'pull-'))
  } catch (error) {
    const { message } = error as Error
    throw new AgentError('MODEL_LOAD', `cannot keep models in ${cacheFolder}: ${message}`, {
      cause: error,
    })
  }
}

/** Returns what a pull calls whenever it gets on, so that its folder counts as alive. */
export function scratchToucher(folder: string): () => void {
  let touchedAt = Date.now()
  return () => {
    const now = Date.now()
    if (now - touchedAt < TOUCH_MS) return
    touchedAt = now
    // A folder that is gone makes the pull fail where it writes: nothing to do here.
    utimes(folder, now / 1000, now / 1000).catch(() => {})
  }
}

async function sweep(parent: string): Promise<void> {
  const names = await readdir(parent)
  await Promise.all(
    names.map(async (name) => {
      const folder = join(parent, name)
      // Another process was faster to sweep it.
      const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Date.now() }))
      if (Date.now() - mtimeMs > STALE_MS) await rm(folder, { recursive: true, force: true })
    }),
  )
}
