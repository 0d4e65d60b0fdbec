import { AgentError } from '../core/errors.ts'

/** Work on a disk, one thing after another, in the background. */
export interface DiskQueue {
  /** Bytes that wait to be written. */
  readonly bytes: number
  /** Why work failed; what came after it was not done. */
  readonly failure: AgentError | undefined
  add(bytes: number, work: () => Promise<void>): void
  /** Does `work` after everything else, even when that failed, and settles as it does. */
  finish(work: () => Promise<void>): Promise<void>
}

/** Makes a queue that is empty. Its failures are `SINK_FAILED`. */
export function diskQueue(): DiskQueue {
  let bytes = 0
  let failure: AgentError | undefined
  let tail: Promise<void> = Promise.resolve()
  const isFine = async (work: () => Promise<void>): Promise<void> => {
    if (failure) return
    try {
      await work()
    } catch (error) {
      failure = AgentError.from(error, 'SINK_FAILED')
    }
  }
  return {
    get bytes() {
      return bytes
    },
    get failure() {
      return failure
    },
    add(size, work) {
      bytes += size
      tail = tail
        .then(() => isFine(work))
        .then(() => {
          bytes -= size
        })
    },
    async finish(work) {
      const done = tail.then(work)
      tail = done.catch(() => undefined)
      await done
    },
  }
}
