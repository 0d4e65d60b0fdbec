import { once } from 'node:events'
import type { Writable } from 'node:stream'

/** A stream as a place for lines. */
export interface LineOutput {
  /** Resolves when the stream takes more; at once when nobody reads any longer. */
  write(line: string): Promise<void>
  /** Aborts when nobody reads any longer, as in `… | head`. */
  readonly closed: AbortSignal
}

/** Takes over the stream's errors: whatever they are, nothing can be written any more. */
export function lineOutput(stream: Writable): LineOutput {
  const closed = new AbortController()
  stream.on('error', (error) => closed.abort(error))
  return {
    closed: closed.signal,
    async write(line) {
      if (closed.signal.aborted || stream.write(`${line}\n`)) return
      // Ends with the abort, too: then there is nothing left to wait for.
      await once(stream, 'drain', { signal: closed.signal }).catch(() => undefined)
    },
  }
}
