import type { IOContext } from 'node-av/lib'
import { AgentError } from '../core/errors.ts'
import type { StreamInput } from './engine.ts'
import type { NodeAv } from './node-av-library.ts'
import { sniffBytes } from './sniff.ts'

/** A stream's bytes as FFmpeg reads them. */
export interface StreamBytes {
  readonly context: IOContext
  /** The first bytes, without using them up. */
  head(): Promise<Buffer>
  /** What the stream failed with; FFmpeg itself is only told that there was an I/O error. */
  failure(): Error | undefined
  close(): void
}

const bufferBytes = 64 * 1024
const ioError = -5

/** Feeds `input` to FFmpeg's custom I/O. A read that fails, or `signal`, ends FFmpeg's read at once. */
export function streamBytes(av: NodeAv, input: StreamInput, signal: AbortSignal): StreamBytes {
  const { AVSEEK_SIZE, AVSEEK_CUR, AVSEEK_END } = av.constants
  let position = 0
  let head: Buffer | undefined
  let failure: Error | undefined

  async function readHead(): Promise<Buffer> {
    if (head) return head
    const chunks: Uint8Array[] = []
    let length = 0
    while (length < sniffBytes) {
      const chunk = await input.read(length, sniffBytes - length)
      if (chunk.length === 0) break
      chunks.push(chunk)
      length += chunk.length
    }
    head = Buffer.concat(chunks)
    return head
  }

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

  function seek(offset: bigint, whence: number): number {
    if (whence & AVSEEK_SIZE) return input.size ?? ioError
    if (whence === AVSEEK_END && input.size === undefined) return ioError
    if (whence === AVSEEK_CUR) position += Number(offset)
    else if (whence === AVSEEK_END) position = (input.size ?? 0) + Number(offset)
    else position = Number(offset)
    return position
  }

  const context = new av.IOContext()
  context.allocContextWithCallbacks(bufferBytes, 0, read, null, input.seekable ? seek : null)
  return {
    context,
    head: readHead,
    failure: () => failure,
    close: () => context.freeContext(),
  }
}
