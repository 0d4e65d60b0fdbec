import type { Yuv420 } from '../core/stages.ts'
import { packedPlanes, packedSize } from '../imaging/packed-planes.ts'

/** Memory of one picture, and its planes in it. */
export interface PooledPicture {
  readonly bytes: Buffer
  readonly planes: Yuv420
}

/** Lends the memory of pictures of one size, used again so that the collector has nothing to do. */
export interface PicturePool {
  readonly pictureBytes: number
  lend(): PooledPicture
  giveBack(picture: PooledPicture): void
}

const kept = 4

/** A pool of planar 4:2:0 pictures without row padding. */
export function picturePool(width: number, height: number): PicturePool {
  const free: PooledPicture[] = []
  const pictureBytes = packedSize(width, height)

  function create(): PooledPicture {
    const bytes = Buffer.from(new ArrayBuffer(pictureBytes))
    return { bytes, planes: packedPlanes(bytes, width, height) }
  }

  return {
    pictureBytes,
    lend: () => free.pop() ?? create(),
    giveBack(picture) {
      if (free.length < kept) free.push(picture)
    },
  }
}
