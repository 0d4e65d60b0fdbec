import { Readable } from 'node:stream'
import { AgentError } from '../core/errors.ts'
import type { StreamInput } from './engine.ts'
import { sniffBytes } from './sniff.ts'

const chunkBytes = 64 * 1024

/** The bytes of one opening, from the first to the last, for one program after the other. */
export interface ReplayedBytes {
  /** The first bytes. */
  head(): Promise<Buffer>
  /** Reads from the first byte on, once more; what has been read is not asked for again. */
  again(): Readable
  /** The same, and what was passed on is forgotten. */
  onlyOnceMore(): Readable
  /** What reading failed with; a program only sees an early end. */
  failure(): Error | undefined
}

/** Reads `input` from its start, in order. A read that fails, or `signal`, ends the bytes. */
export function replayedBytes(input: StreamInput, signal: AbortSignal): ReplayedBytes {
  const chunks = new Map<number, Promise<Uint8Array>>()
  let position = 0
  let failure: Error | undefined

  async function read(): Promise<Uint8Array> {
    try {
      signal.throwIfAborted()
      const bytes = await input.read(position, chunkBytes)
      position += bytes.length
      return Buffer.from(bytes)
    } catch (error) {
      failure ??= AgentError.from(error, 'SOURCE_UNREACHABLE')
      return new Uint8Array()
    }
  }

  function chunk(index: number): Promise<Uint8Array> {
    const before = index === 0 ? undefined : chunks.get(index - 1)
    const known = chunks.get(index) ?? (before ?? Promise.resolve()).then(read)
    chunks.set(index, known)
    return known
  }

  function readable(forget: boolean): Readable {
    let index = 0
    const stream = new Readable({
      highWaterMark: chunkBytes,
      read() {
        void chunk(index).then((bytes) => {
          if (forget) chunks.delete(index - 1)
          index += 1
          if (!signal.aborted) stream.push(bytes.length === 0 ? null : bytes)
        })
      },
    })
    const end = () => void stream.push(null)
    signal.addEventListener('abort', end, { once: true })
    stream.once('close', () => signal.removeEventListener('abort', end))
    if (signal.aborted) end()
    return stream
  }

  return {
    async head() {
      const parts: Uint8Array[] = []
      for (let length = 0, index = 0; length < sniffBytes; index++) {
        const part = await chunk(index)
        if (part.length === 0) break
        parts.push(part)
        length += part.length
      }
      return Buffer.concat(parts)
    },
    again: () => readable(false),
    onlyOnceMore: () => readable(true),
    failure: () => failure,
  }
}
