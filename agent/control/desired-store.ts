import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AgentError } from '../core/errors.ts'
import type { Desired } from './service-state.ts'

/** A service as it is stored. `seed` is the hash of the configuration section it came from. */
export interface StoredService {
  readonly desired: Desired
  readonly seed?: string
}

/** All that survives a restart of the agent. */
export interface StoredState {
  readonly version: 1
  readonly agent: string
  readonly services: Readonly<Record<string, StoredService>>
  /** Services that came from the configuration and were removed by command: id → hash of the section. */
  readonly removed: Readonly<Record<string, string>>
}

/** The desired-state file: 0600, replaced atomically. */
export interface DesiredStore {
  /** Nothing when there is no file. @throws AgentError CONFIG_INVALID when it is damaged */
  read(): Promise<StoredState | undefined>
  /** Resolves when a crash of this process cannot lose it; saves that overlap become one. */
  save(state: StoredState): Promise<void>
}

/** @param file absolute path */
export function desiredStore(file: string): DesiredStore {
  let latest: StoredState | undefined
  let saving: Promise<void> | undefined
  let last: Promise<void> = Promise.resolve()

  const write = async (): Promise<void> => {
    saving = undefined
    await replaceFile(file, `${JSON.stringify(latest, null, 2)}\n`)
  }
  return {
    read: () => readState(file),
    save(state) {
      latest = state
      if (!saving) {
        saving = last.then(write)
        last = saving.then(undefined, () => undefined)
      }
      return saving
    },
  }
}

async function readState(file: string): Promise<StoredState | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  try {
    const state: unknown = JSON.parse(text)
    if (typeof state === 'object' && state && 'version' in state && state.version === 1) {
      return state as StoredState
    }
    throw new Error('it is of another version')
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const message = `the desired-state file '${file}' cannot be read (${why}); move it away to start afresh`
    throw new AgentError('CONFIG_INVALID', message, { cause })
  }
}

/** The new content is on the disk before it takes the old one's name. */
async function replaceFile(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.new`
  const handle = await open(temporary, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.datasync()
  } finally {
    await handle.close()
  }
  await rename(temporary, file)
}
