import { stat } from 'node:fs/promises'

/** Notices changes of files. */
export interface FileWatch {
  /** Looks now; settles when `changed` has dealt with what there was. */
  look(): Promise<void>
  close(): void
}

const EVERY_MS = 1000

/**
 * Calls `changed`, which must not fail, when one of the files was written, replaced, removed or came back. It compares what `stat` says,
 * every second: links that are swapped (Kubernetes) and network folders are noticed, too, where events are not.
 * The state at the call is the first one.
 */
export async function watchFiles(
  files: readonly string[],
  changed: () => Promise<void>,
): Promise<FileWatch> {
  let last = await stampOf(files)
  let looking: Promise<void> | undefined
  let next: Promise<void> | undefined
  async function compare(): Promise<void> {
    const now = await stampOf(files)
    if (now === last) return
    last = now
    await changed()
  }
  // Who asks while a look is under way may have changed something behind its back.
  const look = (): Promise<void> => {
    if (looking) {
      next ??= looking.then(() => {
        next = undefined
        return look()
      })
      return next
    }
    looking = compare().finally(() => {
      looking = undefined
    })
    return looking
  }
  const timer = setInterval(() => void look(), EVERY_MS).unref()
  return { look, close: () => clearInterval(timer) }
}

async function stampOf(files: readonly string[]): Promise<string> {
  const stamps = files.map((file) =>
    stat(file, { bigint: true }).then(
      ({ ino, size, mtimeNs, ctimeNs }) => `${ino} ${size} ${mtimeNs} ${ctimeNs}`,
      (error: NodeJS.ErrnoException) => String(error.code),
    ),
  )
  return (await Promise.all(stamps)).join('\n')
}
