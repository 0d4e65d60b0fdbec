import type { Frame as AvFrame } from 'node-av/lib'
import type { Yuv420 } from '../core/stages.ts'
import type { NodeAv } from './node-av-library.ts'

/** Copies pictures into memory of ours in one step, inside FFmpeg. */
export interface DirectCopy {
  /** Whether `target` holds the picture now; false where this is not possible for it. */
  into(target: Yuv420, frame: AvFrame): boolean
  close(): void
}

/** For 8-bit 4:2:0 pictures and packed targets (see `packedYuv`), of which the last one is remembered. */
export function directCopy(av: NodeAv): DirectCopy {
  let held: { readonly target: Yuv420; readonly over: AvFrame } | undefined
  let possible: boolean | undefined
  return {
    into(target, frame) {
      possible ??= writesThrough(av)
      if (!possible) return false
      // FFmpeg copies between pictures of one format only, and names that of full range apart.
      if (held?.target !== target || held.over.format !== frame.format) {
        const bytes = packedBytes(target)
        if (!bytes) return false
        held?.over.free()
        held = { target, over: frameOver(av, target, bytes, frame.format) }
      }
      return held.over.copy(frame) >= 0
    },
    close() {
      held?.over.free()
      held = undefined
    },
  }
}

/** The one row of bytes that a packed picture is. */
function packedBytes({ width, height, y, u, v, yStride, uvStride }: Yuv420): Buffer | undefined {
  const luma = width * height
  const follow = (a: Uint8Array, b: Uint8Array) =>
    a.buffer === b.buffer && a.byteOffset + a.byteLength === b.byteOffset
  const packed = yStride === width && uvStride * 2 === width && y.byteLength === luma
  if (!packed || u.byteLength !== luma / 4 || !follow(y, u) || !follow(u, v)) return undefined
  return Buffer.from(y.buffer, y.byteOffset, (luma * 3) / 2)
}

function frameOver(
  av: NodeAv,
  { width, height }: Yuv420,
  bytes: Buffer,
  format: AvFrame['format'],
): AvFrame {
  const frame = new av.Frame()
  frame.alloc()
  frame.format = format
  frame.width = width
  frame.height = height
  frame.getBuffer()
  frame.fromBuffer(bytes)
  return frame
}

/** Whether `fromBuffer` takes the bytes where they are, which it does not promise. */
function writesThrough(av: NodeAv): boolean {
  const shape = {
    width: 16,
    height: 16,
    y: new Uint8Array(),
    u: new Uint8Array(),
    v: new Uint8Array(),
    yStride: 16,
    uvStride: 8,
  }
  const [dark, bright] = [Buffer.alloc(384, 1), Buffer.alloc(384, 200)]
  const planar = av.constants.AV_PIX_FMT_YUV420P
  const [from, to] = [frameOver(av, shape, bright, planar), frameOver(av, shape, dark, planar)]
  to.copy(from)
  from.free()
  to.free()
  return dark.every((byte) => byte === 200)
}
