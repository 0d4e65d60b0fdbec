import { constants } from 'node:fs'
import { type FileHandle, unlink } from 'node:fs/promises'
import { cannotWrite, fileTime, openMediaFile } from './media-path.ts'
import { freePath, namedFiles } from './named-files.ts'
import { type SyncedFile, syncedFile, syncFolderOf } from './synced-file.ts'

/** A new file of a recording. */
export interface RecordingFile extends SyncedFile {
  readonly path: string
}

/** The files of one output. */
export interface RecordingFiles {
  /** Makes a file that was not there before, and deletes the oldest beyond `keep`. @throws AgentError SINK_FORBIDDEN, SINK_FAILED */
  create(input: string): Promise<RecordingFile>
}

/** How often a name may turn out to be taken by somebody else. */
const ATTEMPTS = 10

/** Names, makes and deletes files of `pattern`; without `keep`, none is deleted. */
export function recordingFiles(
  pattern: string,
  mediaFolder: string,
  keep = Number.POSITIVE_INFINITY,
): RecordingFiles {
  const open = new Set<string>()

  async function prune(input: string): Promise<void> {
    if (!Number.isFinite(keep)) return
    const files = await namedFiles(pattern, input)
    const surplus = Math.max(files.length - keep, 0)
    for (const path of files.slice(0, surplus)) {
      // Where inputs share names, it may be another one's.
      if (!open.has(path)) await unlink(path).catch(unlessGone)
    }
  }
  return {
    async create(input) {
      const { path, handle } = await createFile(pattern, input, mediaFolder)
      open.add(path)
      const file = syncedFile(handle)
      try {
        await syncFolderOf(path)
        await prune(input)
      } catch (error) {
        await file.close()
        throw cannotWrite(path, error)
      }
      return {
        path,
        append: (bytes) => file.append(bytes).catch(failing(path)),
        close() {
          open.delete(path)
          return file.close().catch(failing(path))
        },
      }
    },
  }
}

async function createFile(
  pattern: string,
  input: string,
  mediaFolder: string,
): Promise<{ path: string; handle: FileHandle }> {
  const time = fileTime()
  for (let attempt = 1; ; attempt++) {
    try {
      const path = await freePath(pattern, { input, time })
      return { path, handle: await openMediaFile(path, mediaFolder, constants.O_EXCL) }
    } catch (error) {
      if (attempt === ATTEMPTS || !isTaken(error)) throw cannotWrite(pattern, error)
    }
  }
}

function failing(path: string): (cause: unknown) => never {
  return (cause) => {
    throw cannotWrite(path, cause)
  }
}

function isTaken(error: unknown): boolean {
  return codeOf(error instanceof Error ? error.cause : undefined) === 'EEXIST'
}

function unlessGone(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
