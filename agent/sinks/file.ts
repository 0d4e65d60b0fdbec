import { type FileHandle, mkdir, open, realpath } from 'node:fs/promises'
import { dirname, extname, isAbsolute, join, normalize, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { OutputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import type { Sink } from '../core/stages.ts'
import { resultJson } from './result-json.ts'
import type { SinkContext } from './sink-context.ts'

/**
 * `file:///….jsonl` below the media folder: one JSON line per result. `{input}` and `{time}` (when the
 * output was opened, UTC) in the path make one file each.
 * @throws AgentError SINK_UNSUPPORTED, SINK_FORBIDDEN, SINK_FAILED
 */
export function fileSink(spec: OutputSpec, context: SinkContext): Sink {
  const pattern = pathOf(spec.url, context.mediaFolder)
  const time = new Date().toISOString().replaceAll(':', '-').replace(/\..*/, '')
  const files = new Map<string, LineFile>()

  const fileFor = (input: string): LineFile => {
    const path = pattern.replaceAll('{input}', input).replaceAll('{time}', time)
    const file = files.get(path) ?? lineFile(path, context.mediaFolder)
    files.set(path, file)
    return file
  }
  return {
    open: () => checkFolder(dirname(pattern.split('{')[0] ?? pattern), context.mediaFolder),
    write: ({ result }) => fileFor(result.input).append(resultJson(result)),
    async close() {
      for (const file of files.values()) await file.close()
    },
  }
}

function pathOf(url: string, mediaFolder: string): string {
  const written = url.replaceAll('{', '%7B').replaceAll('}', '%7D')
  const rest = url.slice('file:'.length)
  const path = rest.startsWith('//')
    ? fileUrlPath(written)
    : resolve(mediaFolder, isAbsolute(rest) ? normalize(rest) : join(mediaFolder, rest))
  if (extname(path) !== '.jsonl') {
    throw new AgentError(
      'SINK_UNSUPPORTED',
      `no output writes files like '${path}' (known: .jsonl)`,
    )
  }
  if (!isBelow(path, mediaFolder)) throw outside(path, mediaFolder)
  return path
}

function fileUrlPath(url: string): string {
  try {
    return normalize(fileURLToPath(url))
  } catch (cause) {
    throw new AgentError('SINK_FORBIDDEN', `'${url}' is no path of this machine`, { cause })
  }
}

interface LineFile {
  /** Resolves when the line is with the operating system. */
  append(line: string): Promise<void>
  close(): Promise<void>
}

/** Appends lines; those that come while a write is under way go together in the next. */
function lineFile(path: string, mediaFolder: string): LineFile {
  let handle: Promise<FileHandle> | undefined
  let lines: string[] = []
  let flushing: Promise<void> | undefined

  const flush = async (): Promise<void> => {
    handle ??= openBelow(path, mediaFolder)
    const file = await handle
    const batch = lines
    lines = []
    flushing = undefined
    await file.appendFile(`${batch.join('\n')}\n`)
  }
  let last: Promise<void> = Promise.resolve()
  return {
    append(line) {
      lines.push(line)
      if (!flushing) {
        flushing = last.then(flush).catch((cause: unknown) => {
          handle = undefined
          throw failed(path, cause)
        })
        last = flushing.then(undefined, () => undefined)
      }
      return flushing
    },
    async close() {
      await last
      const file = await handle
      await file?.close()
    },
  }
}

async function openBelow(path: string, mediaFolder: string): Promise<FileHandle> {
  await checkFolder(dirname(path), mediaFolder)
  return await open(path, 'a', 0o640)
}

/** The folder as it really is, links followed, must lie below the media folder. */
async function checkFolder(folder: string, mediaFolder: string): Promise<void> {
  try {
    await mkdir(mediaFolder, { recursive: true })
    const root = await realpath(mediaFolder)
    await mkdir(folder, { recursive: true })
    if (!isBelow(join(await realpath(folder), 'x'), root)) throw outside(folder, mediaFolder)
  } catch (cause) {
    throw cause instanceof AgentError ? cause : failed(folder, cause)
  }
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way !== '' && !way.startsWith('..') && !isAbsolute(way)
}

const outside = (path: string, mediaFolder: string): AgentError =>
  new AgentError(
    'SINK_FORBIDDEN',
    `'${path}' is outside the media folder '${mediaFolder}' (setting outputs.mediaFolder)`,
  )

function failed(path: string, cause: unknown): AgentError {
  if (cause instanceof AgentError) return cause
  const why = cause instanceof Error ? cause.message : String(cause)
  return new AgentError('SINK_FAILED', `cannot write '${path}': ${why}`, { cause, retryable: true })
}
