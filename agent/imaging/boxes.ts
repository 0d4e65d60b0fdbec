import type { Box } from '../../schemas/results.ts'

/** A box's area; 0 where a side is negative. */
export function area([, , width, height]: Box): number {
  return Math.max(0, width) * Math.max(0, height)
}

/** The area that two boxes share. */
export function sharedArea(a: Box, b: Box): number {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0])
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1])
  return width > 0 && height > 0 ? width * height : 0
}

/** Intersection over union, 0–1; 0 for two boxes without area. */
export function iou(a: Box, b: Box): number {
  const shared = sharedArea(a, b)
  return shared === 0 ? 0 : shared / (area(a) + area(b) - shared)
}

/** Whether two boxes share some area; touching edges do not count. */
export function intersects(a: Box, b: Box): boolean {
  return sharedArea(a, b) > 0
}

/** The part of a box that lies in a picture of `width` × `height`; without area when none does. */
export function clip(box: Box, width: number, height: number): Box {
  const left = clamp(box[0], width)
  const top = clamp(box[1], height)
  const right = clamp(box[0] + box[2], width)
  const bottom = clamp(box[1] + box[3], height)
  return [left, top, right - left, bottom - top]
}

function clamp(value: number, max: number): number {
  return Math.min(Math.max(value, 0), max)
}
