import type { Yuv420 } from '../core/stages.ts'
import { type Plane, swapsAxes, type Turn, turnPlane } from './orientation.ts'

/** A black picture without row padding; odd sizes have half a chroma sample more. */
export function blankYuv(width: number, height: number): Yuv420 {
  const uvStride = (width + 1) >> 1
  const uvRows = (height + 1) >> 1
  return {
    width,
    height,
    y: new Uint8Array(width * height).fill(16),
    u: new Uint8Array(uvStride * uvRows).fill(128),
    v: new Uint8Array(uvStride * uvRows).fill(128),
    yStride: width,
    uvStride,
  }
}

/** A copy of `picture` without row padding, turned for display. */
export function copyYuv(picture: Yuv420, turn: Turn | undefined): Yuv420 {
  const swapped = turn !== undefined && swapsAxes(turn)
  const copy = swapped
    ? blankYuv(picture.height, picture.width)
    : blankYuv(picture.width, picture.height)
  const targets = planesOf(copy)
  planesOf(picture).forEach((plane, index) => {
    const target = targets[index]
    if (!target) return
    if (turn) turnPlane(plane, target, turn, 1)
    else copyPlane(plane, target)
  })
  return copy
}

function planesOf({ width, height, y, u, v, yStride, uvStride }: Yuv420): Plane[] {
  const chroma = { width: (width + 1) >> 1, height: (height + 1) >> 1, stride: uvStride }
  return [
    { width, height, data: y, stride: yStride },
    { ...chroma, data: u },
    { ...chroma, data: v },
  ]
}

function copyPlane(from: Plane, to: Plane): void {
  for (let row = 0; row < from.height; row++) {
    const start = row * from.stride
    to.data.set(from.data.subarray(start, start + from.width), row * to.stride)
  }
}
