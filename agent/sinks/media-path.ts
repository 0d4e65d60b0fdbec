import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, realpath, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, normalize, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AgentError } from '../core/errors.ts'

/** What a placeholder of a file's name stands for. */
export interface NameParts {
  readonly input: string
  /** UTC, as `fileTime` writes it. */
  readonly time: string
  readonly seq?: number
}

/**
 * The absolute path that a `file:` URL means; relative ones count from the media folder. By its name it lies
 * below it; placeholders (`{input}`) are left as they are.
 * @throws AgentError SINK_FORBIDDEN
 */
export function mediaPath(url: string, mediaFolder: string): string {
  const rest = url.replace(/^file:/i, '')
  const path = rest.startsWith('//') ? fileUrlPath(url) : resolve(mediaFolder, normalize(rest))
  if (path.includes('\0') || !isBelow(path, mediaFolder)) throw outside(path, mediaFolder)
  return path
}

/** `pattern` with its placeholders replaced. */
export function filledPath(pattern: string, { input, time, seq }: NameParts): string {
  return pattern
    .replaceAll('{input}', input)
    .replaceAll('{time}', time)
    .replaceAll('{seq}', String(seq ?? 0).padStart(8, '0'))
}

/** A time as file names hold it: UTC, sortable, no colons; by default to the second. */
export function fileTime(at: Date = new Date(), precision: 's' | 'ms' = 's'): string {
  const text = at.toISOString().replaceAll(':', '-').replace('Z', '')
  return precision === 'ms' ? text.replace('.', '-') : text.replace(/\..*/, '')
}

/** The folder that every file of `pattern` is below: what comes ahead of the first placeholder. */
export function fixedFolder(pattern: string): string {
  const [fixed = ''] = pattern.split('{')
  return dirname(`${fixed}x`)
}

/**
 * Makes the folder that every file of `pattern` is below. As it really is, links followed, it lies in the
 * media folder; nothing is made outside of it.
 * @throws AgentError SINK_FORBIDDEN, SINK_FAILED
 */
export async function makeMediaFolder(pattern: string, mediaFolder: string): Promise<void> {
  const folder = fixedFolder(pattern)
  try {
    await mkdir(mediaFolder, { recursive: true })
    const root = await realpath(mediaFolder)
    const inside = async (path: string): Promise<void> => {
      if (!isBelow(join(await realpath(path), 'x'), root)) throw outside(folder, mediaFolder)
    }
    await inside(await nearestExisting(folder))
    await mkdir(folder, { recursive: true })
    await inside(folder)
  } catch (cause) {
    throw cannotWrite(folder, cause)
  }
}

/**
 * Opens a regular file below the media folder, and makes the folders that lead to it. Never through a link.
 * @param flags besides `O_RDWR | O_CREAT`: `constants.O_APPEND`, `O_EXCL`, `O_TRUNC`
 * @throws AgentError SINK_FORBIDDEN, SINK_FAILED
 */
export async function openMediaFile(
  path: string,
  mediaFolder: string,
  flags: number,
): Promise<FileHandle> {
  await makeMediaFolder(path, mediaFolder)
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
  let handle: FileHandle | undefined
  try {
    handle = await open(path, flags | O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o640)
    await checkOpened(handle, path, mediaFolder)
    return handle
  } catch (cause) {
    await handle?.close()
    const isLink = cause instanceof Error && 'code' in cause && cause.code === 'ELOOP'
    throw isLink ? outside(path, mediaFolder) : cannotWrite(path, cause)
  }
}

/** The failure to write `path`; an `AgentError` stays itself. */
export function cannotWrite(path: string, cause: unknown): AgentError {
  if (cause instanceof AgentError) return cause
  const why = cause instanceof Error ? cause.message : String(cause)
  return new AgentError('SINK_FAILED', `cannot write '${path}': ${why}`, { cause, retryable: true })
}

/** What is open is the very file that lies below the media folder now, so exchanging a folder gains nothing. */
async function checkOpened(handle: FileHandle, path: string, mediaFolder: string): Promise<void> {
  const opened = await handle.stat()
  const real = await realpath(path)
  const now = await stat(real)
  const isSame = now.dev === opened.dev && now.ino === opened.ino
  if (!opened.isFile() || !isSame || !isBelow(real, await realpath(mediaFolder))) {
    throw outside(path, mediaFolder)
  }
}

function fileUrlPath(url: string): string {
  const written = url.replaceAll('{', '%7B').replaceAll('}', '%7D')
  try {
    return normalize(fileURLToPath(written))
  } catch (cause) {
    throw new AgentError('SINK_FORBIDDEN', `'${url}' is no path of this machine`, { cause })
  }
}

async function nearestExisting(folder: string): Promise<string> {
  try {
    await stat(folder)
    return folder
  } catch (error) {
    const parent = dirname(folder)
    if (parent === folder) throw error
    return await nearestExisting(parent)
  }
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way !== '' && way !== '..' && !way.startsWith('../') && !isAbsolute(way)
}

const outside = (path: string, mediaFolder: string): AgentError =>
  new AgentError(
    'SINK_FORBIDDEN',
    `'${path}' is outside the media folder '${mediaFolder}', or no plain file in it (setting outputs.mediaFolder)`,
  )
