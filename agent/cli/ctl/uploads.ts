import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Upload } from '../../client/agent-client.ts'
import { AgentError } from '../../core/errors.ts'

/** Files to send; `-` is standard input. @throws AgentError CONFIG_INVALID for what is no readable file */
export async function uploadsOf(files: readonly string[]): Promise<Upload[]> {
  return Promise.all(files.map((file) => (file === '-' ? standardInput : fileUpload(file))))
}

const standardInput: Upload = { name: 'stdin', open: () => process.stdin }

async function fileUpload(file: string): Promise<Upload> {
  const found = await stat(file).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new AgentError('CONFIG_INVALID', `cannot read '${file}': ${why}`, { cause })
  })
  if (!found.isFile()) throw new AgentError('CONFIG_INVALID', `'${file}' is no file`)
  return { name: basename(file), bytes: found.size, open: () => createReadStream(file) }
}
