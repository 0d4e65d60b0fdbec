import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** A file whose content soon survives a power cut. */
export interface SyncedFile {
  /** Settles when the bytes are with the operating system. Throws what an earlier sync failed with, too. */
  append(bytes: Uint8Array): Promise<void>
  /** Syncs, then closes. */
  close(): Promise<void>
}

/** How often it is synced, ms: with fragments of a quarter of a second, less than a second is ever at risk. */
const SYNC_MS = 400

/** Takes over a file that is open for writing. Syncs run beside writes: a slow one delays none. */
export function syncedFile(handle: FileHandle): SyncedFile {
  let syncedAt = performance.now()
  let syncing: Promise<void> | undefined
  let failure: { readonly cause: unknown } | undefined

  function sync(): void {
    if (syncing || performance.now() - syncedAt < SYNC_MS) return
    syncedAt = performance.now()
    syncing = handle
      .datasync()
      .catch((cause: unknown) => {
        failure = { cause }
      })
      .finally(() => {
        syncing = undefined
      })
  }
  return {
    async append(bytes) {
      if (failure) throw failure.cause
      await handle.appendFile(bytes)
      sync()
    },
    async close() {
      try {
        await syncing
        await handle.datasync()
      } finally {
        await handle.close()
      }
    },
  }
}

/** Makes the name of a new file survive a power cut. */
export async function syncFolderOf(path: string): Promise<void> {
  const folder = await open(dirname(path))
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
