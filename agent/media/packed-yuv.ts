import type { Yuv420 } from '../core/stages.ts'
import { packedPlanes, packedSize } from '../imaging/packed-planes.ts'

/** A picture whose planes lie one after another, without padding: what FFmpeg calls rawvideo, yuv420p. */
export interface PackedYuv {
  readonly picture: Yuv420
  /** All three planes, the memory of `picture`. */
  readonly bytes: Buffer
}

/** A black picture of even sides. */
export function packedYuv(width: number, height: number): PackedYuv {
  const bytes = Buffer.from(new ArrayBuffer(packedSize(width, height)))
  const picture = packedPlanes(bytes.fill(128), width, height)
  picture.y.fill(16)
  return { picture, bytes }
}
