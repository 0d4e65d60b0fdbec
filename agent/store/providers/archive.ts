import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { Parser, type ReadEntry } from 'tar'
import { AgentError } from '../../core/errors.ts'
import { MAX_MODEL_BYTES } from './limits.ts'
import type { PullContext, ReadFiles } from './provider.ts'

/**
 * The files of an npm package's tarball, by their paths inside the package. Nothing is written to
 * disk, so no path in the archive leads anywhere; links and everything not asked for are skipped.
 */
export function archiveFiles(archive: string, context: PullContext): ReadFiles {
  return async (paths) => {
    const taker = entryTaker(paths)
    try {
      await parse(archive, taker.take, context)
    } catch (error) {
      if (error instanceof AgentError) throw error
      const reason = error instanceof Error ? error.message : String(error)
      throw new AgentError('MODEL_LOAD', `cannot unpack the package: ${reason}`, { cause: error })
    }
    const missing = paths.filter((path) => !taker.found.has(path))
    if (missing.length === 0) return taker.found
    throw new AgentError('MODEL_LOAD', `the package has no file ${missing.join(', ')}`)
  }
}

async function parse(archive: string, take: (entry: ReadEntry) => void, context: PullContext) {
  const { signal } = context
  const { size: total } = await stat(archive)
  const parser = new Parser({ onReadEntry: take })
  const closed = once(parser, 'close', { signal })
  // Awaited below; until then a damaged archive must not count as unhandled.
  closed.catch(() => {})
  const file = createReadStream(archive, { signal })
  const unzipped = file.pipe(createGunzip())
  file.on('error', (error) => unzipped.destroy(error))
  let bytes = 0
  for await (const chunk of unzipped) {
    bytes += chunk.length
    if (bytes > MAX_UNPACKED_BYTES) throw tooLarge(MAX_UNPACKED_BYTES)
    if (!parser.write(chunk)) await once(parser, 'drain', { signal })
    context.report({ phase: 'unpack', done: file.bytesRead, total })
  }
  parser.end()
  await closed
}

/** An archive may hold more than the model; past this it is taken for a decompression bomb. */
const MAX_UNPACKED_BYTES = 4 * MAX_MODEL_BYTES

/** Keeps the content of the plain files that are wanted; the first of a name counts. */
function entryTaker(paths: readonly string[]) {
  const found = new Map<string, Buffer>()
  let bytes = 0
  const take = (entry: ReadEntry): void => {
    // npm puts everything into one folder of any name.
    const path = entry.path.slice(entry.path.indexOf('/') + 1)
    if (!isPlainFile(entry) || !paths.includes(path) || found.has(path)) {
      entry.resume()
      return
    }
    bytes += entry.size
    if (bytes > MAX_MODEL_BYTES) throw tooLarge(MAX_MODEL_BYTES)
    const chunks: Buffer[] = []
    entry.on('data', (chunk: Buffer) => chunks.push(chunk))
    entry.on('end', () => found.set(path, Buffer.concat(chunks)))
  }
  return { take, found }
}

function isPlainFile({ type }: ReadEntry): boolean {
  return type === 'File' || type === 'OldFile' || type === 'ContiguousFile'
}

function tooLarge(limit: number): AgentError {
  return new AgentError('MODEL_LOAD', `the package holds more than ${limit} bytes`)
}
