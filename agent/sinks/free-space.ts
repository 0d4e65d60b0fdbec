import { statfs } from 'node:fs/promises'
import { AgentError } from '../core/errors.ts'

/** Looks whether a disk has room. */
export interface FreeSpace {
  /** Asks the disk at most once a second. @throws AgentError SINK_FAILED (retryable) when there is too little */
  check(): Promise<void>
}

/** How long an answer is believed, ms. */
const believedMs = 1000

/** Guards the disk that `folder`, which exists, lies on: at least `minFreeBytes` must stay free. */
export function freeSpace(folder: string, minFreeBytes: number): FreeSpace {
  let askedAt = Number.NEGATIVE_INFINITY
  let answer: Promise<number> = Promise.resolve(Number.POSITIVE_INFINITY)
  return {
    async check() {
      if (minFreeBytes === 0) return
      if (performance.now() - askedAt >= believedMs) {
        askedAt = performance.now()
        answer = freeBytes(folder)
      }
      const free = await answer
      if (free < minFreeBytes) throw tooFull(folder, free, minFreeBytes)
    },
  }
}

async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new AgentError('SINK_FAILED', `cannot read how much space '${folder}' has: ${why}`, {
      cause,
      retryable: true,
    })
  }
}

function tooFull(folder: string, free: number, minimum: number): AgentError {
  return new AgentError(
    'SINK_FAILED',
    `the disk of '${folder}' has ${free} bytes free, less than the ${minimum} that must stay free; delete recordings, set 'keep', or lower outputs.minFreeBytes`,
    { retryable: true },
  )
}
