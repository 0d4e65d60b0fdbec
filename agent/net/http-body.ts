import type { IncomingMessage } from 'node:http'
import { AgentError } from '../core/errors.ts'

/** The body of a response, read as it is asked for. */
export interface HttpBody {
  /** How many bytes were read. */
  readonly position: number
  /** At most `length` bytes, as soon as there are some; none at the end. */
  read(length: number): Promise<Uint8Array>
  /** The first bytes, at most `length` of them, which the next reads give again. */
  peek(length: number): Promise<Uint8Array>
  /** All that is left. @throws AgentError LIMIT_EXCEEDED past `maxBytes` */
  readAll(maxBytes: number, name: string): Promise<Buffer>
  close(): void
}

/** When a body has failed, and with what. */
export interface BodyTrouble {
  readonly timeoutMs: number
  /** The error when nothing came for `timeoutMs`. */
  silence(): AgentError
  problem(error: unknown): AgentError
}

/** Whole downloads end after this many times the time limit between two chunks. */
const patience = 12

/** The body of `response`. Nothing is read ahead but what the socket holds. */
export function httpBody(response: IncomingMessage, trouble: BodyTrouble): HttpBody {
  const chunks = response[Symbol.asyncIterator]()
  let kept: Uint8Array = new Uint8Array()
  let position = 0
  // An error between two reads is kept by the response and thrown by the next read.
  response.on('error', () => undefined)

  async function nextChunk(): Promise<Uint8Array> {
    const timer = setTimeout(() => response.destroy(trouble.silence()), trouble.timeoutMs)
    try {
      const { done, value } = await chunks.next()
      return done ? new Uint8Array() : value
    } catch (error) {
      throw trouble.problem(error)
    } finally {
      clearTimeout(timer)
    }
  }

  const body: HttpBody = {
    get position() {
      return position
    },
    async read(length) {
      if (kept.length === 0) kept = await nextChunk()
      const given = kept.subarray(0, length)
      kept = kept.subarray(given.length)
      position += given.length
      return given
    },
    async peek(length) {
      while (kept.length < length) {
        const chunk = await nextChunk()
        if (chunk.length === 0) break
        kept = Buffer.concat([kept, chunk])
      }
      return kept.subarray(0, length)
    },
    async readAll(maxBytes, name) {
      const parts: Uint8Array[] = []
      const deadline = performance.now() + patience * trouble.timeoutMs
      let total = 0
      for (;;) {
        const part = await body.read(1 << 20)
        if (part.length === 0) return Buffer.concat(parts)
        parts.push(part)
        total += part.length
        if (total > maxBytes) throw tooLarge(name, maxBytes)
        if (performance.now() > deadline) throw trouble.silence()
      }
    },
    close: () => response.destroy(),
  }
  return body
}

/** The refusal of a download that is larger than allowed. */
export function tooLarge(name: string, maxBytes: number): AgentError {
  return new AgentError(
    'LIMIT_EXCEEDED',
    `${name} has more than the ${maxBytes} bytes that are allowed (limits.maxDownloadBytes)`,
  )
}
