import type { ModelManifest } from '../../schemas/manifest.ts'
import type { Box } from '../../schemas/results.ts'
import { AgentError } from '../core/errors.ts'
import type { Model } from '../core/stages.ts'
import { type Placement, toFrame } from '../imaging/letterbox.ts'
import { BestCandidates } from './best-candidates.ts'
import { toItems, wantedClasses } from './detections.ts'
import { floatOutput, outputNames } from './outputs.ts'
import { checkPictureInput, preparePicture } from './picture-input.ts'

/** Pixels of the input per cell of the three grids, in the order of their rows in the output. */
const STRIDES = [8, 16, 32] as const

/** Numbers of a row before its class scores: centre x, centre y, log width, log height, objectness. */
const FIXED = 5
const OBJECTNESS = 4

/** One cell: its place in its grid, and its row of numbers in the output. */
interface Cell {
  readonly x: number
  readonly y: number
  readonly stride: number
  readonly at: number
}

/**
 * YOLOX (Ge et al., 2021), exported without its own decoding. Reads `output` [1, cells, 5 + classes]:
 * per cell the centre's offset and the logarithm of the size in strides, objectness and class scores.
 * @throws AgentError MODEL_LOAD
 */
export function yolox(manifest: ModelManifest): Model<Placement> {
  const { input, labels } = manifest
  checkPictureInput(input)
  checkSize(manifest)
  const names = outputNames(manifest, ['output'])
  const width = FIXED + labels.length
  const cells = cellsOf(input, width)
  return {
    kind: 'detections',
    preprocess: (sample, pool) => preparePicture(sample, input, pool),
    postprocess(outputs, placement, options) {
      const { data } = floatOutput(outputs, names.output, [[1, cells.length, width]])
      const best = new BestCandidates(options.minScore)
      collect(best, data, cells, wantedClasses(labels, options), placement)
      return toItems(best.ranked(), placement, labels, options)
    },
  }
}

function checkSize({ id, input: { width, height } }: ModelManifest): void {
  const coarsest = Math.max(...STRIDES)
  if (width % coarsest === 0 && height % coarsest === 0) return
  throw new AgentError(
    'MODEL_LOAD',
    `model '${id}': input is ${width}×${height}; yolox needs multiples of ${coarsest}`,
  )
}

function cellsOf({ width, height }: ModelManifest['input'], rowLength: number): Cell[] {
  const cells: Cell[] = []
  for (const stride of STRIDES) {
    for (let y = 0; y < height / stride; y++) {
      for (let x = 0; x < width / stride; x++) {
        cells.push({ x, y, stride, at: cells.length * rowLength })
      }
    }
  }
  return cells
}

/** A cell is one object of one class, its best; it is judged before classes are filtered. */
function collect(
  best: BestCandidates,
  data: Float32Array,
  cells: readonly Cell[],
  wanted: readonly boolean[],
  placement: Placement,
): void {
  for (const cell of cells) {
    const objectness = data[cell.at + OBJECTNESS] as number
    if (!(objectness >= best.least)) continue
    const classId = bestClass(data, cell.at + FIXED, wanted.length)
    const score = objectness * (data[cell.at + FIXED + classId] as number)
    if (!(score >= best.least) || !wanted[classId]) continue
    best.add({ classId, score, box: toFrame(boxOf(data, cell), placement) })
  }
}

function bestClass(data: Float32Array, from: number, classes: number): number {
  let best = 0
  for (let i = 1; i < classes; i++) {
    if ((data[from + i] as number) > (data[from + best] as number)) best = i
  }
  return best
}

function boxOf(data: Float32Array, { x, y, stride, at }: Cell): Box {
  const [dx = 0, dy = 0, logWidth = 0, logHeight = 0] = data.subarray(at, at + OBJECTNESS)
  const width = Math.exp(logWidth) * stride
  const height = Math.exp(logHeight) * stride
  return [(x + dx) * stride - width / 2, (y + dy) * stride - height / 2, width, height]
}
