import type { Frame as AvFrame } from 'node-av/lib'
import type { NodeAv } from './node-av-library.ts'

/** Lends FFmpeg's frames, without pictures in them: to make one each time would keep the collector busy. */
export interface FramePool {
  lend(): AvFrame
  /** Lets go of the picture in `frame`. */
  giveBack(frame: AvFrame): void
  /** Frames that come back later are freed. */
  close(): void
}

const kept = 4

/** No frames yet. */
export function framePool(av: NodeAv): FramePool {
  const spare: AvFrame[] = []
  let closed = false

  function create(): AvFrame {
    const frame = new av.Frame()
    frame.alloc()
    return frame
  }

  return {
    lend: () => spare.pop() ?? create(),
    giveBack(frame) {
      if (closed || spare.length === kept) {
        frame.free()
        return
      }
      frame.unref()
      spare.push(frame)
    },
    close() {
      closed = true
      for (const frame of spare.splice(0)) frame.free()
    },
  }
}
