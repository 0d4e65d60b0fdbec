import type { Yuv420 } from '../core/stages.ts'

/** A picture whose planes lie one after another, without padding: what FFmpeg calls rawvideo, yuv420p. */
export interface PackedYuv {
  readonly picture: Yuv420
  /** All three planes, the memory of `picture`. */
  readonly bytes: Buffer
}

/** A black picture of even sides. */
export function packedYuv(width: number, height: number): PackedYuv {
  const luma = width * height
  const chroma = luma / 4
  const bytes = Buffer.from(new ArrayBuffer(luma + 2 * chroma))
  const y = bytes.subarray(0, luma).fill(16)
  const u = bytes.subarray(luma, luma + chroma).fill(128)
  const v = bytes.subarray(luma + chroma).fill(128)
  return { picture: { width, height, y, u, v, yStride: width, uvStride: width / 2 }, bytes }
}
