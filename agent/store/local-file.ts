import { realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { AgentError } from '../core/errors.ts'

/**
 * The absolute path of a file below a model's folder, links resolved; nothing where it is absent.
 * @throws AgentError MODEL_LOAD when it is no file or leads outside
 */
export async function localFile(folder: string, path: string): Promise<string | undefined> {
  const root = await realpath(folder)
  const file = await realpath(join(root, path)).catch(() => undefined)
  if (file === undefined) return undefined
  if (!file.startsWith(root + sep)) {
    throw new AgentError(
      'MODEL_LOAD',
      `cannot use ${join(folder, path)}: it leads outside ${folder}`,
    )
  }
  if (!(await stat(file)).isFile()) {
    throw new AgentError('MODEL_LOAD', `cannot use ${join(folder, path)}: it is not a file`)
  }
  return file
}
