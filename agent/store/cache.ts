import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AgentError } from '../core/errors.ts'
import { sha256Of } from './file-hash.ts'

const MODEL = 'model.onnx'
const META = 'meta.json'

/** What is remembered of a model file, so that it needs no hashing each time it is used. */
interface Meta {
  readonly sha256: string
  readonly bytes: number
  readonly mtimeMs: number
}

/** A model file of the cache that is what was stored. */
export interface CachedModel {
  readonly file: string
  readonly sha256: string
  readonly bytes: number
}

/** Whether a model lies in `folder`, and how large it is; its content is not looked at. */
export async function cachedBytes(folder: string): Promise<number | undefined> {
  const meta = await readMeta(folder)
  const found = await statOf(join(folder, MODEL))
  return meta && found?.size
}

/**
 * The model in `folder`, or nothing. It is hashed again only where its size or time has changed.
 * @throws AgentError MODEL_INTEGRITY when it is not what was stored
 */
export async function cachedModel(folder: string): Promise<CachedModel | undefined> {
  const meta = await readMeta(folder)
  const file = join(folder, MODEL)
  const found = await statOf(file)
  if (!meta || !found) return undefined
  const { size: bytes, mtimeMs } = found
  if (meta.bytes === bytes && meta.mtimeMs === mtimeMs) return { file, sha256: meta.sha256, bytes }
  const sha256 = await sha256Of(file)
  if (sha256 !== meta.sha256) {
    throw new AgentError(
      'MODEL_INTEGRITY',
      `the cached model ${file} has the sha256 ${sha256}, but ${meta.sha256} was stored: ` +
        `delete ${folder} and pull it again`,
    )
  }
  // A copied cache has new times. One that is read-only stays valid too, it is only hashed again.
  await replaceMeta(folder, { sha256, bytes, mtimeMs }).catch(() => {})
  return { file, sha256, bytes }
}

/**
 * Puts a model into the folder `target` of the cache, at once and whole or not at all. Where another
 * process was faster, its model stays.
 */
export async function storeModel(
  model: Uint8Array,
  scratch: string,
  target: string,
): Promise<void> {
  const prepared = await mkdtemp(join(scratch, 'finished-'))
  const file = join(prepared, MODEL)
  await writeSynced(file, model)
  const { size: bytes, mtimeMs } = await stat(file)
  const sha256 = createHash('sha256').update(model).digest('hex')
  await writeSynced(join(prepared, META), JSON.stringify({ sha256, bytes, mtimeMs } satisfies Meta))
  await syncFolder(prepared)
  await mkdir(dirname(target), { recursive: true })
  await renameOver(prepared, target)
  await syncFolder(dirname(target))
}

async function renameOver(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if ((await cachedBytes(to)) !== undefined) return
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
    await rm(to, { recursive: true, force: true })
    await rename(from, to)
  }
}

async function replaceMeta(folder: string, meta: Meta): Promise<void> {
  const temporary = join(folder, `${META}.${process.pid}`)
  await writeSynced(temporary, JSON.stringify(meta))
  await rename(temporary, join(folder, META))
}

async function writeSynced(file: string, content: Uint8Array | string): Promise<void> {
  await writeFile(file, content, { flush: true })
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function readMeta(folder: string): Promise<Meta | undefined> {
  try {
    const meta: Partial<Meta> = JSON.parse(await readFile(join(folder, META), 'utf8'))
    const { sha256, bytes, mtimeMs } = meta
    if (typeof sha256 !== 'string' || typeof bytes !== 'number') return undefined
    return { sha256, bytes, mtimeMs: mtimeMs ?? 0 }
  } catch {
    // Absent, or written by something else: either way there is no model to use.
    return undefined
  }
}

async function statOf(file: string) {
  return stat(file).catch(() => undefined)
}
