import type { IOContext } from 'node-av/lib'
import type { NodeAv } from './node-av-library.ts'

/** What answers FFmpeg's reads and seeks, in its own conventions: negative numbers are errors. */
export interface IoHandler {
  readonly seekable: boolean
  /** Of a file, which FFmpeg then reads itself where it can; the rest of this is not asked. */
  readonly descriptor?: number | undefined
  /** At most `size` bytes; null at the end. */
  read(size: number): Promise<Buffer | number | null>
  /** `whence` as for lseek, or AVSEEK_SIZE. */
  seek(offset: number, whence: number): number
}

/** The I/O context of one video, which each opening of its container uses anew. */
export interface VideoIo {
  /** The context, at its start, answered by `handler`. The last container is closed by then. */
  context(handler: IoHandler): Promise<IOContext>
  /** After this, nothing of it keeps the process alive. */
  free(): void
}

/** Small, for it is lost (see below); FFmpeg reads packets that are larger straight into their place. */
const bufferBytes = 8 * 1024

/**
 * node-av frees an I/O context without its buffer. Where it can be rewound it is therefore used
 * again, so that a video which loops for weeks does not fill the memory.
 */
export function videoIo(av: NodeAv): VideoIo {
  let current: OpenIo | undefined
  let handler: IoHandler | undefined

  function overHandler(seekable: boolean): OpenIo {
    const context = new av.IOContext()
    const seek = (offset: bigint, whence: number) => handler?.seek(Number(offset), whence) ?? -1
    const read = async (size: number) => (await handler?.read(size)) ?? null
    context.allocContextWithCallbacks(bufferBytes, 0, read, null, seekable ? seek : null)
    return { context, seekable, close: () => context.freeContext() }
  }

  function free(): void {
    current?.close()
    current = undefined
  }

  return {
    async context(next) {
      handler = next
      if (current?.seekable && (await rewound(av, current.context))) return current.context
      free()
      current = (await overFile(av, next.descriptor)) ?? overHandler(next.seekable)
      return current.context
    },
    free,
  }
}

interface OpenIo {
  readonly context: IOContext
  readonly seekable: boolean
  close(): void
}

/**
 * FFmpeg's own context over an open file: it spares each packet two ways between threads. By the descriptor, not
 * by the name, which may mean another file by now; undefined where the system has no such way.
 */
async function overFile(av: NodeAv, descriptor: number | undefined): Promise<OpenIo | undefined> {
  if (descriptor === undefined || process.platform !== 'linux') return undefined
  const context = new av.IOContext()
  const code = await context.open2(`/proc/self/fd/${descriptor}`, av.constants.AVIO_FLAG_READ)
  if (code < 0) return undefined
  return { context, seekable: true, close: () => void context.closepSync() }
}

/** Goes to the start, leaving what is buffered of the old container behind. */
async function rewound(av: NodeAv, context: IOContext): Promise<boolean> {
  if (context.error !== 0) return false
  context.direct = 1
  const position = await context.seek(0n, av.constants.AVSEEK_SET)
  context.direct = 0
  return position === 0n
}
