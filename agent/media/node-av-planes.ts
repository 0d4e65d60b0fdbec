import type { Frame as AvFrame } from 'node-av/lib'
import type { Yuv420 } from '../core/stages.ts'
import type { NodeAv } from './node-av-library.ts'

/**
 * Planes for reading, one set per video. Each look at a frame's own planes makes new JavaScript buffers
 * over 1.4 MB of foreign memory, which V8 counts as its own: it then collects garbage all the time,
 * which costs more than scaling the frame. A copy inside FFmpeg costs a fifth of a millisecond.
 */
export interface SharedPlanes {
  /** The planes of a frame: valid until the next call, or the frame is freed. */
  of(frame: AvFrame): Yuv420
  close(): void
}

/** No planes yet. */
export function sharedPlanes(av: NodeAv): SharedPlanes {
  let held: { readonly frame: AvFrame; readonly planes: Yuv420; of?: AvFrame } | undefined
  let closed = false
  return {
    of(frame) {
      if (closed) return yuvView(frame)
      if (!held || !sameShape(held.frame, frame)) {
        held?.frame.free()
        const own = emptyLike(av, frame)
        held = { frame: own, planes: yuvView(own) }
      }
      if (held.of !== frame) held.frame.copy(frame)
      held.of = frame
      return held.planes
    },
    close() {
      closed = true
      held?.frame.free()
      held = undefined
    },
  }
}

/** FFmpeg's planes as they lie: valid until the frame is freed. */
export function yuvView(frame: AvFrame): Yuv420 {
  const [y, u, v] = frame.data ?? []
  const [yStride = 0, uvStride = 0] = frame.linesize
  const empty = new Uint8Array()
  return {
    width: frame.width,
    height: frame.height,
    y: y ?? empty,
    u: u ?? empty,
    v: v ?? empty,
    yStride,
    uvStride,
  }
}

function sameShape(a: AvFrame, b: AvFrame): boolean {
  return a.width === b.width && a.height === b.height && a.format === b.format
}

function emptyLike(av: NodeAv, { width, height, format }: AvFrame): AvFrame {
  const frame = new av.Frame()
  frame.alloc()
  frame.format = format
  frame.width = width
  frame.height = height
  frame.getBuffer()
  return frame
}
