import { type BigIntStats, fstat, read as readFile } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { AgentError } from '../core/errors.ts'
import type { FileInput, StreamInput } from './engine.ts'
import { wait } from './wait.ts'

const statDescriptor: (fd: number, options: { bigint: true }) => Promise<BigIntStats> =
  promisify(fstat)
const readDescriptor = promisify(readFile)

/** What is read at once: a packet alone would cost a way to another thread each. */
const BLOCK_BYTES = 256 << 10
/** A file is whole when it was not written to for so long, ms; who is still at it after the longest wait is not waited for. */
const QUIET_MS = 500
const LONGEST_WAIT_MS = 10_000
const nothing = { at: 0, bytes: Buffer.alloc(0) }

/** A file's bytes as a stream, whose reads follow one another. @throws AgentError SOURCE_UNREACHABLE */
export async function fileBytes({ path, descriptor }: FileInput): Promise<StreamInput> {
  const own = descriptor === undefined ? await openOwn(path) : undefined
  const fd = descriptor ?? own?.fd ?? -1
  let written = await writtenTo(fd)
  let block = nothing

  /** Whether it was written to since this was last asked. */
  async function isWritten(): Promise<boolean> {
    const { size, at } = written
    written = await writtenTo(fd)
    return written.size !== size || written.at !== at
  }

  async function load(position: number, length: number): Promise<void> {
    // New memory each time: whoever was given the last block may still be using it.
    const memory = Buffer.allocUnsafeSlow(Math.max(length, BLOCK_BYTES))
    const { bytesRead } = await readDescriptor(fd, memory, 0, memory.length, position)
    block = { at: position, bytes: memory.subarray(0, bytesRead) }
  }

  return {
    kind: 'stream',
    name: path,
    get size() {
      return written.size
    },
    descriptor: fd,
    seekable: true,
    async read(position, length) {
      const inside = position >= block.at && position + length <= block.at + block.bytes.length
      if (!inside) await load(position, length)
      const start = position - block.at
      return block.bytes.subarray(start, start + length)
    },
    async changed(signal) {
      if (!(await isWritten())) return false
      const until = performance.now() + LONGEST_WAIT_MS
      do await wait(QUIET_MS, signal)
      while (!signal.aborted && (await isWritten()) && performance.now() < until)
      block = nothing
      return true
    },
    async close() {
      await own?.close()
    },
  }
}

/** Looks anew at a file that was written to. What it holds may yet become whole: what `look` throws can be retried. */
export async function lookedAnew<T>(look: () => Promise<T>): Promise<T> {
  try {
    return await look()
  } catch (error) {
    const { code, message } = AgentError.from(error, 'SOURCE_DECODE')
    throw new AgentError(code, message, { cause: error, retryable: true })
  }
}

/** How long the file is, and when it was last written to, ns. */
async function writtenTo(fd: number): Promise<{ readonly size: number; readonly at: bigint }> {
  const { size, mtimeNs } = await statDescriptor(fd, { bigint: true })
  return { size: Number(size), at: mtimeNs }
}

async function openOwn(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (error) {
    throw new AgentError('SOURCE_UNREACHABLE', `cannot open ${path}`, { cause: error })
  }
}
