import type { Frame as AvFrame } from 'node-av/lib'
import type { Yuv420 } from '../core/stages.ts'
import { scalerPlanes } from '../imaging/resize-yuv.ts'
import { directCopy } from './node-av-copy.ts'
import type { NodeAv } from './node-av-library.ts'

/**
 * Planes for scaling, one set per video. Each look at a frame's own planes makes new JavaScript buffers
 * over 1.4 MB of foreign memory, which V8 counts as its own: it then collects garbage all the time,
 * which costs more than scaling the frame. A copy inside FFmpeg costs a fifth of a millisecond; it goes to where the
 * scaler reads, or, for odd sides, to a frame of our own.
 */
export interface SharedPlanes {
  /** The planes of a frame: valid until the next call or scaling, or the frame is freed. */
  of(frame: AvFrame): Yuv420
  close(): void
}

/** No planes yet. */
export function sharedPlanes(av: NodeAv): SharedPlanes {
  const direct = directCopy(av)
  let room: Yuv420 | undefined
  let held: { readonly frame: AvFrame; readonly planes: Yuv420 } | undefined
  let closed = false

  function copied(frame: AvFrame): Yuv420 {
    if (!held || !sameShape(held.frame, frame)) {
      held?.frame.free()
      const own = emptyLike(av, frame)
      held = { frame: own, planes: yuvView(own) }
    }
    held.frame.copy(frame)
    return held.planes
  }

  return {
    of(frame) {
      if (closed) return yuvView(frame)
      if (!room || !fits(room, frame)) room = scalerPlanes(frame.width, frame.height)
      return direct.into(room, frame) ? room : copied(frame)
    },
    close() {
      closed = true
      direct.close()
      held?.frame.free()
      held = undefined
    },
  }
}

/** Planes of no length lay in memory that has grown since, and moved. */
function fits({ width, height, y }: Yuv420, frame: AvFrame): boolean {
  return width === frame.width && height === frame.height && y.length > 0
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
