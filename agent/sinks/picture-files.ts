import { constants } from 'node:fs'
import { stat, unlink } from 'node:fs/promises'
import type { OutputSpec } from '../../schemas/control.ts'
import type { Delivered, Sink } from '../core/stages.ts'
import { type Annotator, annotator } from './annotated.ts'
import { freeSpace } from './free-space.ts'
import {
  cannotWrite,
  fileTime,
  filledPath,
  fixedFolder,
  makeMediaFolder,
  openMediaFile,
} from './media-path.ts'
import { freePath, namedFiles } from './named-files.ts'
import type { SinkContext } from './sink-context.ts'

/**
 * A JPEG with what was found drawn on it, of each result that holds an item. `{input}`, `{time}` (of the
 * picture, UTC) and `{seq}` name the files; no file is written twice. `keep` deletes the oldest.
 * @throws AgentError SINK_FORBIDDEN, SINK_FAILED
 */
export function pictureFiles(path: string, spec: OutputSpec, context: SinkContext): Sink {
  const { mediaFolder, minFreeBytes } = context
  const pattern = distinct(path)
  const pictures: Annotator = annotator('waits')
  const space = freeSpace(fixedFolder(pattern), minFreeBytes)
  const kept = keptFiles(pattern, spec.keep)
  const underWay = new Set<Promise<void>>()

  async function save(delivered: Delivered): Promise<void> {
    const { result } = delivered
    const jpeg = await pictures.jpeg(delivered)
    await space.check()
    const time = fileTime(new Date(result.capturedAt))
    const parts = { input: result.input, time, seq: result.seq }
    const file = await createFile(pattern, parts, mediaFolder, jpeg)
    await kept.added(result.input, file)
  }
  return {
    needsItems: true,
    paced: true,
    async open() {
      await makeMediaFolder(pattern, mediaFolder)
      await space.check()
    },
    async write(delivered) {
      const saved = save(delivered)
      underWay.add(saved)
      await saved.finally(() => underWay.delete(saved))
    },
    async close() {
      await Promise.allSettled(underWay)
    },
  }
}

/** Several pictures need several names. */
function distinct(path: string): string {
  return /\{(time|seq)\}[^/]*$/.test(path)
    ? path
    : path.replace(/(\.[^./]+)$/, (ending) => `-{time}-{seq}${ending}`)
}

async function createFile(
  pattern: string,
  parts: Parameters<typeof filledPath>[1],
  mediaFolder: string,
  bytes: Uint8Array,
): Promise<string> {
  let path = filledPath(pattern, parts)
  for (;;) {
    try {
      await writeNew(path, mediaFolder, bytes)
      return path
    } catch (error) {
      if (!isTaken(error)) throw error
      path = await freePath(pattern, parts)
    }
  }
}

/** Half a picture is none: it is taken away again. */
async function writeNew(path: string, mediaFolder: string, bytes: Uint8Array): Promise<void> {
  const handle = await openMediaFile(path, mediaFolder, constants.O_EXCL)
  try {
    await handle.writeFile(bytes)
  } catch (error) {
    await unlink(path).catch(() => undefined)
    throw cannotWrite(path, error)
  } finally {
    await handle.close()
  }
}

function isTaken(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
}

interface KeptFiles {
  added(input: string, path: string): Promise<void>
}

/** Deletes the oldest files beyond `keep`, those of earlier openings included. */
function keptFiles(pattern: string, keep: number | undefined): KeptFiles {
  const lists = new Map<string, Promise<string[]>>()
  const shared = pattern.includes('{input}') ? undefined : ''
  return {
    async added(input, path) {
      if (keep === undefined) return
      const name = shared ?? input
      const before = lists.get(name)
      if (!before) lists.set(name, byAge(await namedFiles(pattern, input)))
      const files = (await lists.get(name)) ?? []
      if (!files.includes(path)) files.push(path)
      for (const old of files.splice(0, Math.max(0, files.length - keep))) {
        await unlink(old).catch(unlessGone)
      }
    },
  }
}

async function byAge(paths: readonly string[]): Promise<string[]> {
  const aged = await Promise.all(
    paths.map(async (path) => ({ path, at: (await stat(path).catch(() => undefined))?.mtimeMs })),
  )
  return aged.toSorted((a, b) => (a.at ?? 0) - (b.at ?? 0)).map(({ path }) => path)
}

function unlessGone(error: unknown): void {
  const isGone = error instanceof Error && 'code' in error && error.code === 'ENOENT'
  if (!isGone) throw cannotWrite('an old picture', error)
}
