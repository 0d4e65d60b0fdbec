import type { IOContext } from 'node-av/lib'
import type { NodeAv } from './node-av-library.ts'

/** What answers FFmpeg's reads and seeks, in its own conventions: negative numbers are errors. */
export interface IoHandler {
  readonly seekable: boolean
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
  let current: { readonly context: IOContext; readonly seekable: boolean } | undefined
  let handler: IoHandler | undefined

  function create(seekable: boolean): IOContext {
    const context = new av.IOContext()
    const seek = (offset: bigint, whence: number) => handler?.seek(Number(offset), whence) ?? -1
    const read = async (size: number) => (await handler?.read(size)) ?? null
    context.allocContextWithCallbacks(bufferBytes, 0, read, null, seekable ? seek : null)
    current = { context, seekable }
    return context
  }

  function free(): void {
    current?.context.freeContext()
    current = undefined
  }

  return {
    async context(next) {
      handler = next
      if (current?.seekable && (await rewound(av, current.context))) return current.context
      free()
      return create(next.seekable)
    },
    free,
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
