import { AgentError } from '../core/errors.ts'
import type { StreamInput } from './engine.ts'
import type { IoHandler } from './node-av-io.ts'
import { sniffBytes } from './sniff.ts'

/** A stream's bytes as FFmpeg reads them. */
export interface StreamBytes {
  readonly handler: IoHandler
  /** The first bytes, without using them up. */
  head(): Promise<Buffer>
  /** What the stream failed with; FFmpeg itself is only told that there was an I/O error. */
  failure(): Error | undefined
}

const ioError = -5
/** FFmpeg's and lseek's numbers for where a seek counts from. */
const from = { current: 1, end: 2, size: 0x10000 } as const

/** Feeds `input` to FFmpeg's custom I/O. A read that fails, or `signal`, ends FFmpeg's read at once. */
export function streamBytes(input: StreamInput, signal: AbortSignal): StreamBytes {
  let position = 0
  let head: Buffer | undefined
  let failure: Error | undefined

  async function read(size: number): Promise<Buffer | number | null> {
    try {
      signal.throwIfAborted()
      const kept = head?.subarray(position, position + size)
      const bytes = kept && kept.length > 0 ? kept : await input.read(position, size)
      position += bytes.length
      return bytes.length === 0 ? null : Buffer.from(bytes)
    } catch (error) {
      failure ??= AgentError.from(error, 'SOURCE_UNREACHABLE')
      return ioError
    }
  }

  function seek(offset: number, whence: number): number {
    if (whence & from.size) return input.size ?? ioError
    if (whence === from.end && input.size === undefined) return ioError
    if (whence === from.current) position += offset
    else position = whence === from.end ? (input.size ?? 0) + offset : offset
    return position
  }

  return {
    handler: { seekable: input.seekable, descriptor: input.descriptor, read, seek },
    async head() {
      head ??= await firstBytes(input)
      return head
    },
    failure: () => failure,
  }
}

async function firstBytes(input: StreamInput): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  while (length < sniffBytes) {
    const chunk = await input.read(length, sniffBytes - length)
    if (chunk.length === 0) break
    chunks.push(chunk)
    length += chunk.length
  }
  return Buffer.concat(chunks)
}
