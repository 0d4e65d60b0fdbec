import type { OutputSpec } from '../../schemas/control.ts'
import type { Box, Item, Result } from '../../schemas/results.ts'
import type { Sink } from '../core/stages.ts'

/** Decides what of a result one output gets: the result, part of it, or nothing. @param now ms */
export type OutputFilter = (result: Result, now: number) => Result | undefined

/**
 * The filters of the contract, in the order: inputs, items, change, rate.
 * @param sink `continuous`: every result passes, with the items that do: `onChange` and empty results do not
 *   matter; `needsItems`: no empty result passes
 */
export function outputFilter(
  spec: OutputSpec,
  { continuous = false, needsItems = false }: Pick<Sink, 'continuous' | 'needsItems'> = {},
): OutputFilter {
  const selective =
    spec.labels !== undefined ||
    spec.minScore !== undefined ||
    spec.minArea !== undefined ||
    spec.region !== undefined
  const lastLabels = new Map<string, string>()
  const lastAt = new Map<string, number>()

  const changed = ({ input, items }: Result): boolean => {
    const labels = items
      .map((item) => item.label)
      .sort()
      .join()
    const before = lastLabels.get(input) ?? ''
    lastLabels.set(input, labels)
    return labels !== before
  }
  const due = ({ input }: Result, now: number): boolean => {
    const intervalMs = 1000 / (spec.maxPerSecond ?? Number.POSITIVE_INFINITY)
    if (now - (lastAt.get(input) ?? Number.NEGATIVE_INFINITY) < intervalMs) return false
    lastAt.set(input, now)
    return true
  }

  const wanted = (kept: Result): boolean => {
    if (continuous) return true
    if (spec.onChange && !changed(kept)) return false
    const mayBeEmpty = !needsItems && (spec.onChange === true || !selective)
    return mayBeEmpty || kept.items.length > 0
  }
  return (result, now) => {
    if (spec.inputs && !spec.inputs.includes(result.input)) return undefined
    const kept = selective
      ? { ...result, items: result.items.filter((item) => passes(item, spec)) }
      : result
    if (!wanted(kept)) return undefined
    return spec.maxPerSecond === undefined || due(kept, now) ? kept : undefined
  }
}

function passes({ label, score, box }: Item, spec: OutputSpec): boolean {
  if (spec.labels && !spec.labels.includes(label)) return false
  if (spec.minScore !== undefined && score < spec.minScore) return false
  if (spec.minArea !== undefined && box[2] * box[3] < spec.minArea) return false
  return spec.region === undefined || centreInside(box, spec.region)
}

function centreInside([x, y, width, height]: Box, region: Box): boolean {
  const centreX = x + width / 2
  const centreY = y + height / 2
  return (
    centreX >= region[0] &&
    centreY >= region[1] &&
    centreX < region[0] + region[2] &&
    centreY < region[1] + region[3]
  )
}
