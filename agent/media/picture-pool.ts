import type { Yuv420 } from '../core/stages.ts'

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
  const uvStride = (width + 1) >> 1
  const luma = width * height
  const chroma = uvStride * ((height + 1) >> 1)

  function create(): PooledPicture {
    const bytes = Buffer.from(new ArrayBuffer(luma + 2 * chroma))
    const y = bytes.subarray(0, luma)
    const u = bytes.subarray(luma, luma + chroma)
    const v = bytes.subarray(luma + chroma)
    return { bytes, planes: { width, height, y, u, v, yStride: width, uvStride } }
  }

  return {
    pictureBytes: luma + 2 * chroma,
    lend: () => free.pop() ?? create(),
    giveBack(picture) {
      if (free.length < kept) free.push(picture)
    },
  }
}
