import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AgentError } from '../../core/errors.ts'
import { localFile } from '../local-file.ts'
import { MAX_MODEL_BYTES } from './limits.ts'
import type { ReadFiles } from './provider.ts'

/** The files below a model's own folder. */
export function folderFiles(folder: string): ReadFiles {
  return async (paths) => {
    const files = await Promise.all(paths.map((path) => existing(folder, path)))
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size))
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    if (bytes > MAX_MODEL_BYTES) {
      throw new AgentError(
        'MODEL_LOAD',
        `the model in ${folder} has ${bytes} bytes, at most ${MAX_MODEL_BYTES} are allowed`,
      )
    }
    const contents = await Promise.all(files.map((file) => readFile(file)))
    return new Map(paths.map((path, index) => [path, contents[index] ?? new Uint8Array()]))
  }
}

async function existing(folder: string, path: string): Promise<string> {
  const file = await localFile(folder, path)
  if (file !== undefined) return file
  throw new AgentError('MODEL_LOAD', `no file ${join(folder, path)}`)
}
