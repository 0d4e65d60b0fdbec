import { read } from 'node:fs'
import { promisify } from 'node:util'
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

/** What a container is read by. */
export interface ContainerIo {
  readonly context: IOContext
  /** Of a file that FFmpeg reads itself. */
  readonly prefetch?: Prefetch
}

/** What is prefetched at a time. */
export const PREFETCH_BYTES = 256 << 10

/**
 * Brings a file's bytes from `position` on to where reading them waits for no disk. @returns the position up to which
 * that holds; `position` itself at the end, or where they cannot be read
 */
export type Prefetch = (position: number) => Promise<number>

/** The I/O context of one video, which each opening of its container uses anew. */
export interface VideoIo {
  /** The context, at its start, answered by `handler`. The last container is closed by then. */
  open(handler: IoHandler): Promise<ContainerIo>
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
    async open(next) {
      handler = next
      if (current?.seekable && (await rewound(av, current.context))) return current
      free()
      current = (await overFile(av, next.descriptor)) ?? overHandler(next.seekable)
      return current
    },
    free,
  }
}

interface OpenIo extends ContainerIo {
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
  const prefetch = prefetchOf(descriptor)
  return { context, seekable: true, prefetch, close: () => void context.closepSync() }
}

const readDescriptor = promisify(read)
/** What is prefetched lands here, for nobody to look at: it is there for the system's cache alone. */
const unread = Buffer.allocUnsafeSlow(PREFETCH_BYTES)

function prefetchOf(descriptor: number): Prefetch {
  return async (position) => {
    const done = readDescriptor(descriptor, unread, 0, unread.length, position)
    // FFmpeg, which reads it next, meets the same error, and tells it.
    const { bytesRead } = await done.catch(() => ({ bytesRead: 0 }))
    return position + bytesRead
  }
}

/** Goes to the start, leaving what is buffered of the old container behind. */
async function rewound(av: NodeAv, context: IOContext): Promise<boolean> {
  if (context.error !== 0) return false
  context.direct = 1
  const position = await context.seek(0n, av.constants.AVSEEK_SET)
  context.direct = 0
  return position === 0n
}
