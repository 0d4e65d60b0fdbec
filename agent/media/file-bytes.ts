import { fstat, read as readFile } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { AgentError } from '../core/errors.ts'
import type { FileInput, StreamInput } from './engine.ts'

const statDescriptor = promisify(fstat)
const readDescriptor = promisify(readFile)

/** A file's bytes as a stream. @throws AgentError SOURCE_UNREACHABLE */
export async function fileBytes({ path, descriptor }: FileInput): Promise<StreamInput> {
  const own = descriptor === undefined ? await openOwn(path) : undefined
  const fd = descriptor ?? own?.fd ?? -1
  const { size } = await statDescriptor(fd)
  return {
    kind: 'stream',
    name: path,
    size,
    seekable: true,
    async read(position, length) {
      const buffer = Buffer.allocUnsafe(length)
      const { bytesRead } = await readDescriptor(fd, buffer, 0, length, position)
      return buffer.subarray(0, bytesRead)
    },
    async close() {
      await own?.close()
    },
  }
}

async function openOwn(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (error) {
    throw new AgentError('SOURCE_UNREACHABLE', `cannot open ${path}`, { cause: error })
  }
}
