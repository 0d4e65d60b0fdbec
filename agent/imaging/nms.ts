import type { Box } from '../../schemas/results.ts'
import { iou } from './boxes.ts'

/** A possible detection, before overlapping ones are removed. */
export interface Candidate {
  readonly classId: number
  readonly score: number
  readonly box: Box
}

/**
 * Greedy non-maximum suppression within each class: of candidates that overlap by more than
 * `iouThreshold`, the best stays. Returns at most `maxItems`, best first; among equal scores the
 * earlier one in `candidates` wins, so that the same outputs give the same items.
 */
export function nms<T extends Candidate>(
  candidates: readonly T[],
  iouThreshold: number,
  maxItems: number,
): T[] {
  const kept: T[] = []
  for (const candidate of candidates.toSorted((a, b) => b.score - a.score)) {
    if (kept.length >= maxItems) break
    if (!kept.some((better) => overlaps(better, candidate, iouThreshold))) kept.push(candidate)
  }
  return kept
}

function overlaps(a: Candidate, b: Candidate, threshold: number): boolean {
  return a.classId === b.classId && iou(a.box, b.box) > threshold
}
