import type { Result } from '../../schemas/results.ts'
import type { Sink } from '../core/stages.ts'
import { freeSpace } from './free-space.ts'
import { fileTime, filledPath, fixedFolder, makeMediaFolder } from './media-path.ts'
import type { SinkContext } from './sink-context.ts'
import { type TextFile, textFile } from './text-file.ts'

/** How results become text. */
export interface TextFormat {
  /** Begins each file. */
  readonly header?: string
  /** With line breaks; empty where there is nothing to write. */
  text(result: Result): string
}

/**
 * Appends results as text to the files of `pattern`, an absolute path: `{input}` and `{time}` (when the
 * output was opened, UTC) make one file each. @throws AgentError SINK_FORBIDDEN, SINK_FAILED
 */
export function textSink(pattern: string, context: SinkContext, format: TextFormat): Sink {
  const { mediaFolder, minFreeBytes } = context
  const { header } = format
  const time = fileTime()
  const files = new Map<string, TextFile>()

  const fileFor = (input: string): TextFile => {
    const path = filledPath(pattern, { input, time })
    const options = { mediaFolder, minFreeBytes, ...(header === undefined ? {} : { header }) }
    const file = files.get(path) ?? textFile(path, options)
    files.set(path, file)
    return file
  }
  return {
    keepsFrames: true,
    async open() {
      await makeMediaFolder(pattern, mediaFolder)
      await freeSpace(fixedFolder(pattern), minFreeBytes).check()
    },
    async write({ result }) {
      const text = format.text(result)
      if (text !== '') await fileFor(result.input).append(text)
    },
    async close() {
      for (const file of files.values()) await file.close()
    },
  }
}
