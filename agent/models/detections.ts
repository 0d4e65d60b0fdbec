import type { ModelOptions } from '../../schemas/control.ts'
import type { ModelManifest } from '../../schemas/manifest.ts'
import type { Box, Item } from '../../schemas/results.ts'
import { area, clip } from '../imaging/boxes.ts'
import type { Placement } from '../imaging/letterbox.ts'
import { type Candidate, nms } from '../imaging/nms.ts'

type Labels = ModelManifest['labels']

/** Per class id, whether it is to be reported: it exists, and `options.labels` names it. */
export function wantedClasses(labels: Labels, options: Required<ModelOptions>): readonly boolean[] {
  const wanted = new Set(options.labels)
  return labels.map((label) => label !== null && wanted.has(label))
}

/**
 * Turns candidates (boxes in pixels of the frame) into items: overlaps removed within each class,
 * best first, boxes clipped to the frame and rounded to 0.1 pixel, scores to 0.001.
 */
export function toItems(
  candidates: readonly Candidate[],
  { frameWidth, frameHeight }: Placement,
  labels: Labels,
  { iouThreshold, maxItems }: Required<ModelOptions>,
): Item[] {
  const visible = candidates.filter(({ box }) => area(clip(box, frameWidth, frameHeight)) > 0)
  return nms(visible, iouThreshold, maxItems).map(({ classId, score, box }) => ({
    label: labels[classId] ?? String(classId),
    classId,
    score: Math.round(Math.min(score, 1) * 1000) / 1000,
    box: rounded(clip(box, frameWidth, frameHeight)),
  }))
}

/** Rounds the edges, so that a box that ends at the frame's edge still does; at least 0.1 wide and high. */
function rounded([x, y, width, height]: Box): Box {
  const right = Math.max(Math.round((x + width) * 10), 1)
  const bottom = Math.max(Math.round((y + height) * 10), 1)
  const left = Math.min(Math.round(x * 10), right - 1)
  const top = Math.min(Math.round(y * 10), bottom - 1)
  return [left / 10, top / 10, (right - left) / 10, (bottom - top) / 10]
}
