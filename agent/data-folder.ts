import { createHash } from 'node:crypto'
import { lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { AgentError } from './core/errors.ts'

/** The folder in which an agent keeps what survives it. */
export interface DataFolder {
  /** What is desired (see `control/desired-store.ts`). */
  readonly stateFile: string
  /** For files that requests bring along, this user's alone; empty at the start. */
  readonly uploadFolder: string
  /** For crash records, which are written several times per frame: in memory where that can be. */
  readonly crashFolder: string
  /** Lets another agent have the folder. */
  release(): Promise<void>
}

/**
 * Takes a data folder for this process, making it if need be.
 * @throws AgentError CONFIG_INVALID when another agent has it, or it cannot be written
 */
export async function takeDataFolder(folder: string, mediaFolder: string): Promise<DataFolder> {
  const runFolder = join(folder, 'run')
  const lock = join(runFolder, 'agent.pid')
  try {
    await mkdir(runFolder, { recursive: true, mode: 0o700 })
    await mkdir(mediaFolder, { recursive: true })
    const holder = await holderOf(lock)
    if (holder !== undefined) {
      const message = `another agent (pid ${holder}) uses the data folder '${folder}'; stop it, or choose another folder with --data`
      throw new AgentError('CONFIG_INVALID', message)
    }
    await writeFile(lock, `${await nameOf(process.pid)}\n`)
    await emptied(uploadFolderIn(folder))
  } catch (cause) {
    if (cause instanceof AgentError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new AgentError('CONFIG_INVALID', `the data folder '${folder}' cannot be used: ${why}`, {
      cause,
    })
  }
  return {
    stateFile: join(folder, 'desired.json'),
    uploadFolder: uploadFolderIn(folder),
    crashFolder: await memoryFolder(runFolder),
    release: () => rm(lock, { force: true }),
  }
}

/** Where requests' own files lie in a data folder. */
export function uploadFolderIn(folder: string): string {
  return join(folder, 'uploads')
}

/** A new folder of this user alone: what an agent left behind that was killed is nobody's any more. */
async function emptied(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { mode: 0o700 })
}

/** A folder of this user alone on a file system in memory, the same at each start; else `fallback`. */
async function memoryFolder(fallback: string): Promise<string> {
  const name = createHash('sha256').update(fallback).digest('hex').slice(0, 16)
  const folder = `/dev/shm/heliograph-${process.getuid?.()}-${name}`
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const { uid, mode } = await lstat(folder)
    return uid === process.getuid?.() && (mode & 0o777) === 0o700 ? folder : fallback
  } catch {
    return fallback
  }
}

/** The process that wrote the lock, if it still runs; pids are used again, start times are not. */
async function holderOf(lock: string): Promise<number | undefined> {
  const written = (await textOf(lock)).trim()
  const pid = Number(written.split(' ')[0])
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  return (await nameOf(pid)) === written ? pid : undefined
}

/** A process by its pid and, on Linux, the time it was started (see proc(5), stat, field 22). */
async function nameOf(pid: number): Promise<string> {
  const afterCommand = (await textOf(`/proc/${pid}/stat`)).split(') ').at(-1) ?? ''
  return `${pid} ${afterCommand.split(' ')[19] ?? ''}`.trim()
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return ''
  }
}

/** An agent id made of the host's name. */
export function defaultAgentId(host: string = hostname()): string {
  const slug = host
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
  return slug || 'agent'
}
