import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { AgentError } from '../core/errors.ts'

/** A file that was opened and found to be allowed; whoever asked for it closes the handle. */
export interface AllowedFile {
  readonly path: string
  readonly handle: FileHandle
  readonly size: number
}

/** Reads files and folders below roots only. @throws AgentError SOURCE_FORBIDDEN, SOURCE_UNREACHABLE */
export interface FileAccess {
  /** Refuses what lies outside the roots by its name already, so that a refusal tells nothing more. */
  check(path: string): Promise<void>
  isDirectory(path: string): Promise<boolean>
  /** Names in a folder, hidden ones left out. */
  list(path: string): Promise<string[]>
  open(path: string): Promise<AllowedFile>
}

/** Folders by their names. */
interface Bounds {
  readonly roots: readonly string[]
  readonly closed: readonly string[]
}

/**
 * Access below `roots`, links followed only where they stay below them; `undefined` = everywhere.
 * @param closed folders that are out of bounds though they may lie below a root
 */
export function fileAccess(
  roots: readonly string[] | undefined,
  closed: readonly string[] = [],
): FileAccess {
  const bounds = roots && { roots, closed }
  const access: FileAccess = {
    async check(path) {
      if (bounds) await checkName(path, bounds)
    },
    async isDirectory(path) {
      return (await stat(await realPath(path, bounds))).isDirectory()
    },
    async list(path) {
      const names = await readdir(await realPath(path, bounds)).catch((error: unknown) => {
        throw unreachable(path, error)
      })
      return names.filter((name) => !name.startsWith('.'))
    },
    async open(path) {
      const handle = await openPlain(await realPath(path, bounds), path)
      try {
        const stats = await handle.stat()
        await checkOpened(path, stats, bounds)
        return { path, handle, size: stats.size }
      } catch (error) {
        await handle.close()
        throw error
      }
    },
  }
  return access
}

/** Where `path` really is, which must be below a root. */
async function realPath(path: string, bounds: Bounds | undefined): Promise<string> {
  if (bounds) await checkName(path, bounds)
  const real = await realpath(path).catch((error: unknown) => {
    throw unreachable(path, error)
  })
  if (bounds) await checkReal(path, real, bounds)
  return real
}

async function checkName(path: string, { roots, closed }: Bounds): Promise<void> {
  const name = resolve(path)
  if (!isBelow(name, await allNames(roots)) || isBelow(name, await allNames(closed)))
    throw forbidden(path, roots)
}

async function checkReal(path: string, real: string, { roots, closed }: Bounds): Promise<void> {
  if (!isBelow(real, await realNames(roots)) || isBelow(real, await realNames(closed)))
    throw forbidden(path, roots)
}

/** Does not wait for the other end of a named pipe. */
async function openPlain(real: string, path: string): Promise<FileHandle> {
  try {
    return await open(real, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw unreachable(path, error)
  }
}

/**
 * Looks again after the opening: what is open must be the very file that lies below the roots now,
 * so that exchanging a link between check and opening gains nothing.
 */
async function checkOpened(path: string, opened: Stats, bounds: Bounds | undefined): Promise<void> {
  if (!opened.isFile()) {
    throw new AgentError('SOURCE_UNSUPPORTED', `${path} is not a regular file`)
  }
  const now = await stat(await realPath(path, bounds))
  if (now.dev !== opened.dev || now.ino !== opened.ino) {
    throw new AgentError('SOURCE_UNREACHABLE', `${path} was replaced while it was opened`, {
      retryable: true,
    })
  }
}

async function realNames(roots: readonly string[]): Promise<string[]> {
  const names = await Promise.all(roots.map((root) => realpath(root).catch(() => undefined)))
  return names.filter((name) => name !== undefined)
}

async function allNames(roots: readonly string[]): Promise<string[]> {
  return [...roots.map((root) => resolve(root)), ...(await realNames(roots))]
}

function isBelow(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => {
    const folder = root.endsWith(sep) ? root : root + sep
    return path === root || path.startsWith(folder)
  })
}

function forbidden(path: string, roots: readonly string[]): AgentError {
  const allowed = roots.length > 0 ? roots.join(', ') : 'none'
  return new AgentError(
    'SOURCE_FORBIDDEN',
    `${path} lies outside the folders that may be read (sources.roots: ${allowed})`,
  )
}

function unreachable(path: string, error: unknown): AgentError {
  const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
  const reason = missing ? 'it does not exist' : error instanceof Error ? error.message : error
  return new AgentError('SOURCE_UNREACHABLE', `cannot open ${path}: ${reason}`, { cause: error })
}
