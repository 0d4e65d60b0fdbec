import { writeFile } from 'node:fs/promises'
import type { Prepared } from '../../../agent/core/stages.ts'
import type { ModelManifest, ResolvedModel } from '../../../schemas/manifest.ts'
import { onnxFile } from '../backends/onnx-files.ts'
import { manifestOf } from '../models/manifests.ts'

/** The side of the frames, in pixels. */
export const FRAME = 640

/**
 * A detector of one pixel: it sees one `thing` in a box that is ten pixels wide for each sample of the run,
 * with the red channel as its score. Its third channel must be 0: with 1 the run fails.
 */
export const pixelManifest: ModelManifest = manifestOf({
  id: 'pixel',
  input: {
    name: 'image',
    width: 1,
    height: 1,
    dtype: 'float32',
    layout: 'nhwc',
    colour: 'rgb',
    fit: 'stretch',
    mean: [0, 0, 128],
    std: [255, 255, 1e6],
  },
  outputs: { scores: 'scores', boxes: 'boxes' },
  labels: ['thing', null, null],
  thresholds: { minScore: 0.001, iouThreshold: 0.5, maxItems: 5 },
})

/** How a pixel model takes samples. */
export type Axis =
  /** Any number of them at once. */
  | 'open'
  /** One at a time, and says so. */
  | 'fixed'
  /** It says any number, but more than two fail. */
  | 'two'

/** Writes a pixel model. */
export async function pixelModel(file: string, axis: Axis): Promise<ResolvedModel> {
  await writeFile(file, pixelGraph(axis))
  return { manifest: { ...pixelManifest, id: `pixel-${axis}` }, file, sha256: '' }
}

/** A sample of which the model tells `score`. */
export function pixel(score: number, { bad = false } = {}): Prepared {
  const data = Float32Array.of(score, 0, bad ? 1 : 0)
  return {
    inputs: { image: { dtype: 'float32', dims: [1, 1, 1, 3], data } },
    meta: { frameWidth: FRAME, frameHeight: FRAME, contentWidth: 1, contentHeight: 1 },
  }
}

/** How many samples shared the run in which this was seen. */
export function samplesOfRun(items: readonly { readonly box: readonly number[] }[]): number {
  return (items[0]?.box[2] ?? Number.NaN) / 10
}

const node = (opType: string, input: string[], output: string, attributes: object[] = []) => ({
  opType,
  input,
  output: [output],
  attribute: attributes,
})
const integer = (name: string, i: number) => ({ name, type: 2, i })
const floats = (name: string, ...values: number[]) =>
  stored(name, 1, Float32Array.from(values), values.length)
const integers = (name: string, ...values: number[]) =>
  stored(name, 7, BigInt64Array.from(values, BigInt), values.length)

function stored(name: string, dataType: number, data: Float32Array | BigInt64Array, count: number) {
  return { name, dims: [count], dataType, rawData: new Uint8Array(data.buffer) }
}

/** What the third channel picks from a list of one number; past its end, the run fails. */
const poison = [
  node('Slice', ['image', 'two', 'three', 'axis'], 'third'),
  node('Cast', ['third'], 'picked', [integer('to', 7)]),
  node('Gather', ['nothing', 'picked'], 'zero'),
  node('Reshape', ['zero', 'perSample'], 'none'),
]

/** Past two samples this picks past the list's end, too. */
const limit = [
  node('Sub', ['count', 'two'], 'above'),
  node('Max', ['above', 'nought'], 'excess'),
  node('Gather', ['nothing', 'excess'], 'within'),
  node('Add', ['sums', 'within'], 'scores'),
]

function pixelGraph(axis: Axis): Uint8Array {
  const samples = axis === 'fixed' ? 1 : 'n'
  return onnxFile({
    node: [
      ...poison,
      node('Shape', ['image'], 'shape'),
      node('Gather', ['shape', 'nought'], 'count'),
      node('Reshape', ['image', 'perSample'], 'colours'),
      node('Add', ['colours', 'none'], axis === 'two' ? 'sums' : 'scores'),
      ...(axis === 'two' ? limit : []),
      node('Cast', ['count'], 'number', [integer('to', 1)]),
      node('Mul', ['number', 'part'], 'side'),
      node('Concat', ['corner', 'side', 'side'], 'box', [integer('axis', 0)]),
      node('Concat', ['count', 'boxShape'], 'boxesShape', [integer('axis', 0)]),
      node('Expand', ['box', 'boxesShape'], 'boxes'),
    ],
    initializer: [
      floats('nothing', 0),
      floats('part', 10 / FRAME),
      floats('corner', 0, 0),
      integers('nought', 0),
      integers('two', 2),
      integers('three', 3),
      integers('axis', 3),
      integers('perSample', 0, 1, -1),
      integers('boxShape', 1, 4),
    ],
    inputs: [{ name: 'image', element: 'float32', dims: [samples, 1, 1, 3] }],
    outputs: [
      { name: 'scores', element: 'float32', dims: [samples, 1, 3] },
      { name: 'boxes', element: 'float32', dims: [samples, 1, 4] },
    ],
  })
}
