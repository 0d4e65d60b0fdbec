import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type FreeSpace, freeSpace } from './free-space.ts'
import { cannotWrite, openMediaFile } from './media-path.ts'

/** A file below the media folder that grows at its end. */
export interface TextFile {
  /** Resolves when the text is with the operating system. @throws AgentError SINK_FORBIDDEN, SINK_FAILED */
  append(text: string): Promise<void>
  /** Finishes what is under way. */
  close(): Promise<void>
}

/** What every file of one output shares. */
export interface TextFileOptions {
  readonly mediaFolder: string
  readonly minFreeBytes: number
  /** Begins a new file. */
  readonly header?: string
}

/** Opens `path` with the first text. Texts that come while a write is under way go together in the next. */
export function textFile(path: string, options: TextFileOptions): TextFile {
  let opened: Promise<OpenFile> | undefined
  let texts: string[] = []
  let flushing: Promise<void> | undefined
  let last: Promise<void> = Promise.resolve()

  const flush = async (): Promise<void> => {
    opened ??= openFile(path, options)
    const { handle, space, start } = await opened
    const batch = [start.text, ...texts]
    texts = []
    flushing = undefined
    await space.check()
    await handle.appendFile(batch.join(''))
    start.text = ''
  }
  const close = async (): Promise<void> => {
    await last
    const file = await opened?.catch(() => undefined)
    opened = undefined
    await file?.handle.close()
  }
  return {
    append(text) {
      texts.push(text)
      if (!flushing) {
        flushing = last.then(flush).catch((cause: unknown) => {
          throw cannotWrite(path, cause)
        })
        last = flushing.catch(() => undefined)
      }
      return flushing
    },
    close,
  }
}

interface OpenFile {
  readonly handle: FileHandle
  readonly space: FreeSpace
  /** Goes ahead of the first text. */
  readonly start: { text: string }
}

async function openFile(path: string, options: TextFileOptions): Promise<OpenFile> {
  const { mediaFolder, minFreeBytes, header = '' } = options
  const handle = await openMediaFile(path, mediaFolder, constants.O_APPEND)
  try {
    const { size } = await handle.stat()
    const text = size === 0 ? header : await lineBreak(handle, size)
    return { handle, space: freeSpace(dirname(path), minFreeBytes), start: { text } }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** After a power cut the last line may be half one: the next must not be added to it. */
async function lineBreak(handle: FileHandle, size: number): Promise<string> {
  const { buffer } = await handle.read({ buffer: Buffer.alloc(1), position: size - 1 })
  return buffer.toString('latin1') === '\n' ? '' : '\n'
}
