import { AgentError } from '../core/errors.ts'

/** Bounds what waits in memory for a destination. */
export interface Pending {
  /** Counts `bytes` until `work` settles. @throws AgentError LIMIT_EXCEEDED at once when there is no room */
  hold<Value>(bytes: number, work: () => Promise<Value>): Promise<Value>
  /** Resolves when nothing waits, or after `ms`. */
  settled(ms: number): Promise<void>
}

/** Nothing waits yet. @param name of the destination, for messages */
export function pending(name: string, maxBytes: number): Pending {
  let held = 0
  let idle: (() => void)[] = []
  return {
    async hold(bytes, work) {
      if (held + bytes > maxBytes) {
        throw new AgentError(
          'LIMIT_EXCEEDED',
          `${name} is too slow: ${held} of ${maxBytes} bytes wait already`,
        )
      }
      held += bytes
      try {
        return await work()
      } finally {
        held -= bytes
        if (held === 0) for (const tell of idle.splice(0)) tell()
      }
    },
    async settled(ms) {
      if (held === 0) return
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, ms)
        idle.push(() => {
          clearTimeout(late)
          resolve()
        })
      })
      idle = []
    },
  }
}
