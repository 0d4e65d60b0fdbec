import type { Yuv420 } from '../core/stages.ts'

/** Bytes of a 4:2:0 picture without row padding; odd sides have half a chroma sample more. */
export function packedSize(width: number, height: number): number {
  return width * height + 2 * chromaSize(width, height)
}

/** The planes of such a picture, one after another in `bytes`: what FFmpeg calls rawvideo, yuv420p. */
export function packedPlanes(bytes: Uint8Array, width: number, height: number): Yuv420 {
  const luma = width * height
  const chroma = chromaSize(width, height)
  return {
    width,
    height,
    y: bytes.subarray(0, luma),
    u: bytes.subarray(luma, luma + chroma),
    v: bytes.subarray(luma + chroma, luma + 2 * chroma),
    yStride: width,
    uvStride: (width + 1) >> 1,
  }
}

function chromaSize(width: number, height: number): number {
  return ((width + 1) >> 1) * ((height + 1) >> 1)
}
