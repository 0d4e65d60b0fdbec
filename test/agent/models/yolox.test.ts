import { describe, expect, it } from 'vitest'
import { optionsFor } from '../../../agent/models/registry.ts'
import { yolox } from '../../../agent/models/yolox.ts'
import type { Box } from '../../../schemas/results.ts'
import { manifestOf, stretchedBytes } from './manifests.ts'

const SIZE = 64
const CLASSES = 4
const ROW = 5 + CLASSES
const CELLS = 8 * 8 + 4 * 4 + 2 * 2
const manifest = manifestOf({
  family: 'yolox',
  input: { ...stretchedBytes, width: SIZE, height: SIZE, fit: 'letterbox' },
})
const model = yolox(manifest)
const options = optionsFor(manifest)

/** A frame of 128×96 in an input of 64×64: half its size, with 16 rows of padding. */
const placement = { frameWidth: 128, frameHeight: 96, contentWidth: 64, contentHeight: 48 }

interface Wanted {
  /** In pixels of the frame. */
  readonly box: Box
  readonly stride: 8 | 16 | 32
  readonly objectness: number
  readonly classes: readonly number[]
}

/** The raw output in which the network would say `wanted`: the decoding formula, solved for its input. */
function outputOf(wanted: readonly Wanted[]): Float32Array<ArrayBuffer> {
  const data = new Float32Array(CELLS * ROW)
  const firstOf = { 8: 0, 16: 64, 32: 80 }
  for (const { box, stride, objectness, classes } of wanted) {
    const [left, top, width, height] = box.map((value) => value / 2)
    if (left === undefined || top === undefined || !width || !height)
      throw new Error('four numbers')
    const x = (left + width / 2) / stride
    const y = (top + height / 2) / stride
    const cell = firstOf[stride] + Math.floor(y) * (SIZE / stride) + Math.floor(x)
    const size = [Math.log(width / stride), Math.log(height / stride)]
    data.set([x % 1, y % 1, ...size, objectness, ...classes], cell * ROW)
  }
  return data
}

const decode = (data: Float32Array<ArrayBuffer>, given = options) =>
  model.postprocess({ output: { dtype: 'float32', dims: [1, CELLS, ROW], data } }, placement, given)

describe('yolox', () => {
  it.each([8, 16, 32] as const)('finds a box on the grid of stride %i', (stride) => {
    const box: Box = [21.5, 33, 40, 30]
    const output = outputOf([{ box, stride, objectness: 0.9, classes: [0, 0, 0.8, 0.1] }])
    expect(decode(output)).toEqual([
      { label: 'dog', classId: 2, score: 0.72, box: box.map((value) => expect.closeTo(value, 1)) },
    ])
  })

  it('finds several, best first, with the score of objectness times class', () => {
    const output = outputOf([
      { box: [10, 10, 20, 20], stride: 8, objectness: 0.8, classes: [0.75, 0, 0, 0] },
      { box: [70, 40, 50, 50], stride: 32, objectness: 1, classes: [0, 0, 0, 0.9] },
      { box: [60, 10, 20, 20], stride: 16, objectness: 0.7, classes: [0, 0, 0.7, 0] },
    ])
    const found = decode(output).map(({ label, score }) => [label, score])
    expect(found).toEqual([
      ['cat', 0.9],
      ['person', 0.6],
    ])
  })

  it('takes a cell for its best class only, before classes are filtered', () => {
    const output = outputOf([
      { box: [10, 10, 20, 20], stride: 8, objectness: 1, classes: [0.9, 0, 0.8, 0] },
      { box: [60, 10, 20, 20], stride: 8, objectness: 1, classes: [0, 0.9, 0.8, 0] },
    ])
    expect(decode(output).map(({ label }) => label)).toEqual(['person'])
    expect(decode(output, { ...options, labels: ['dog'] })).toEqual([])
  })

  it('clips boxes to the frame, not to the padded input', () => {
    const output = outputOf([
      { box: [-20, 60, 60, 60], stride: 16, objectness: 1, classes: [0.9, 0, 0, 0] },
    ])
    expect(decode(output)[0]?.box).toEqual([0, 60, 40, 36])
  })

  it('drops what is not a finite number', () => {
    const output = outputOf([
      { box: [10, 10, 20, 20], stride: 8, objectness: 1, classes: [0.9, 0, 0, 0] },
    ])
    output[40 * ROW + 4] = Number.NaN
    output.set([0, 0, 1000, 0, 1, 0.9, 0, 0, 0], 41 * ROW)
    expect(decode(output)).toHaveLength(1)
  })

  it('refuses an output of another size, naming both', () => {
    const data = new Float32Array(CELLS * 85)
    const outputs = { output: { dtype: 'float32', dims: [1, CELLS, 85], data } } as const
    expect(() => model.postprocess(outputs, placement, options)).toThrow(
      expect.objectContaining({
        code: 'INFERENCE_FAILED',
        message: expect.stringMatching(/\[1,84,85\].*\[1,84,9\]/),
      }),
    )
  })

  it('refuses an input that its grids do not divide', () => {
    const input = { ...manifest.input, width: 300 }
    expect(() => yolox(manifestOf({ family: 'yolox', input }))).toThrow(
      expect.objectContaining({
        code: 'MODEL_LOAD',
        message: expect.stringContaining('300×64'),
      }),
    )
  })
})
