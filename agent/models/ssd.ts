import type { ModelManifest } from '../../schemas/manifest.ts'
import type { Box } from '../../schemas/results.ts'
import type { Model } from '../core/stages.ts'
import { type Placement, toFrame } from '../imaging/letterbox.ts'
import { BestCandidates } from './best-candidates.ts'
import { toItems, wantedClasses } from './detections.ts'
import { floatOutput, outputNames } from './outputs.ts'
import { checkPictureInput, preparePicture } from './picture-input.ts'

/**
 * Single-shot detectors of the TensorFlow Object Detection API, cut before their own overlap removal.
 * Reads `scores` [1, anchors, classes], after the sigmoid and without a background column, and `boxes`
 * [1, anchors, 4] or [1, anchors, 1, 4]: top, left, bottom, right in parts of the input.
 * @throws AgentError MODEL_LOAD
 */
export function ssd(manifest: ModelManifest): Model<Placement> {
  const { input, labels } = manifest
  checkPictureInput(input)
  const names = outputNames(manifest, ['scores', 'boxes'])
  return {
    kind: 'detections',
    preprocess: (sample, pool) => preparePicture(sample, input, pool),
    postprocess(outputs, placement, options) {
      const scores = floatOutput(outputs, names.scores, [[1, 'anchors', labels.length]])
      const anchors = scores.dims[1] ?? 0
      const boxes = floatOutput(outputs, names.boxes, [
        [1, anchors, 4],
        [1, anchors, 1, 4],
      ])
      const best = new BestCandidates(options.minScore)
      collect(best, scores.data, wantedClasses(labels, options), (anchor) =>
        toFrame(boxAt(boxes.data, anchor, input), placement),
      )
      return toItems(best.ranked(), placement, labels, options)
    },
  }
}

/** One pass over hundreds of thousands of scores: it allocates only for the few that count. */
function collect(
  best: BestCandidates,
  scores: Float32Array,
  wanted: readonly boolean[],
  boxOf: (anchor: number) => Box,
): void {
  const classes = wanted.length
  let i = nextAtLeast(scores, best.least, 0)
  while (i < scores.length) {
    const classId = i % classes
    if (wanted[classId]) {
      best.add({ classId, score: scores[i] as number, box: boxOf((i - classId) / classes) })
    }
    i = nextAtLeast(scores, best.least, i + 1)
  }
}

/** Where the next score of at least `least` is, from `from` on; the end where there is none. */
function nextAtLeast(scores: Float32Array, least: number, from: number): number {
  const count = scores.length
  let i = from
  while (i + 3 < count && !someOfFour(scores, least, i)) i += 4
  while (i < count && !((scores[i] as number) >= least)) i += 1
  return i
}

/** Four comparisons a step halve the time of the scan. NaN is never at least anything. */
function someOfFour(scores: Float32Array, least: number, i: number): boolean {
  return (
    (scores[i] as number) >= least ||
    (scores[i + 1] as number) >= least ||
    (scores[i + 2] as number) >= least ||
    (scores[i + 3] as number) >= least
  )
}

function boxAt(boxes: Float32Array, anchor: number, input: ModelManifest['input']): Box {
  const [top = 0, left = 0, bottom = 0, right = 0] = boxes.subarray(anchor * 4, anchor * 4 + 4)
  return [
    left * input.width,
    top * input.height,
    (right - left) * input.width,
    (bottom - top) * input.height,
  ]
}
