import type { OfferedStream } from './stream.ts'

/** Who waits for streams that are not offered yet. */
export interface Arrivals {
  /** Settles when a stream of this path is offered, or with undefined after `ms`. */
  wait(path: string, ms: number): Promise<OfferedStream | undefined>
  arrived(stream: OfferedStream): void
  /** Nothing comes any more. */
  giveUp(): void
}

/** Nobody waits yet. */
export function arrivals(): Arrivals {
  const waiting = new Set<{ readonly path: string; settle(stream?: OfferedStream): void }>()
  return {
    wait: (path, ms) =>
      new Promise((resolve) => {
        const one = {
          path,
          settle(stream?: OfferedStream): void {
            clearTimeout(timer)
            waiting.delete(one)
            resolve(stream)
          },
        }
        const timer = setTimeout(() => one.settle(), ms)
        waiting.add(one)
      }),
    arrived(stream) {
      for (const one of [...waiting]) if (one.path === stream.path) one.settle(stream)
    },
    giveUp() {
      for (const one of [...waiting]) one.settle()
    },
  }
}
