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
  let { least } = best
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number
    if (!(score >= least)) continue
    const classId = i % wanted.length
    if (!wanted[classId]) continue
    best.add({ classId, score, box: boxOf((i - classId) / wanted.length) })
    least = best.least
  }
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
