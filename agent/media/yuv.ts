import type { Frame, Yuv420 } from '../core/stages.ts'
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

/** A copy of a frame that the caller owns and may draw on; without row padding. */
export async function copyOf(frame: Frame): Promise<Yuv420> {
  const copy = blankYuv(frame.width, frame.height)
  await frame.copyTo(copy)
  return copy
}

/** Copies `picture`, turned for display, as far as `target` reaches from its top left. */
export function copyYuv(picture: Yuv420, target: Yuv420, turn?: Turn): void {
  if (turn && !fitsTurned(picture, target, turn)) {
    const whole = swapsAxes(turn)
      ? blankYuv(picture.height, picture.width)
      : blankYuv(picture.width, picture.height)
    copyYuv(picture, whole, turn)
    copyYuv(whole, target)
    return
  }
  const targets = planesOf(target)
  planesOf(picture).forEach((plane, index) => {
    const to = targets[index]
    if (!to) return
    if (turn) turnPlane(plane, to, turn, 1)
    else copyPlane(plane, to)
  })
}

function fitsTurned(picture: Yuv420, target: Yuv420, turn: Turn): boolean {
  const [width, height] = swapsAxes(turn)
    ? [picture.height, picture.width]
    : [picture.width, picture.height]
  return target.width === width && target.height === height
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
  for (let row = 0; row < to.height; row++) {
    const start = row * from.stride
    to.data.set(from.data.subarray(start, start + to.width), row * to.stride)
  }
}
