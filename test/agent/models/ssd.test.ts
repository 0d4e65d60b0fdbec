import { describe, expect, it } from 'vitest'
import type { Tensors } from '../../../agent/core/stages.ts'
import { optionsFor } from '../../../agent/models/registry.ts'
import { ssd } from '../../../agent/models/ssd.ts'
import type { ModelOptions } from '../../../schemas/control.ts'
import { manifestOf } from './manifests.ts'

const CLASSES = 4
const [PERSON, MISSING, DOG, CAT] = [0, 1, 2, 3]
const manifest = manifestOf()
const model = ssd(manifest)
const placement = { frameWidth: 1000, frameHeight: 500, contentWidth: 300, contentHeight: 300 }

/** One anchor: its scores by class, and its sides as parts of the input. */
interface Anchor {
  readonly scores: Readonly<Record<number, number>>
  readonly top?: number
  readonly left?: number
  readonly bottom?: number
  readonly right?: number
}

/** Where anchor `i` lies unless it says so itself: apart from all others. */
function outputsOf(anchors: readonly Anchor[]): Tensors {
  const scores = new Float32Array(anchors.length * CLASSES)
  const boxes = new Float32Array(anchors.length * 4)
  for (const [i, anchor] of anchors.entries()) {
    for (const [id, score] of Object.entries(anchor.scores)) scores[i * CLASSES + +id] = score
    const { top = 0, left = i / 10, bottom = 0.1, right = i / 10 + 0.1 } = anchor
    boxes.set([top, left, bottom, right], i * 4)
  }
  return {
    scores: { dtype: 'float32', dims: [1, anchors.length, CLASSES], data: scores },
    boxes: { dtype: 'float32', dims: [1, anchors.length, 4], data: boxes },
  }
}

const decode = (anchors: readonly Anchor[], options: ModelOptions = {}) =>
  model.postprocess(outputsOf(anchors), placement, optionsFor(manifest, options))

describe('ssd', () => {
  it('gives label, class, score and a box in pixels of the frame', () => {
    const anchor = { scores: { [DOG]: 0.75 }, top: 0.2, left: 0.1, bottom: 0.6, right: 0.4 }
    expect(decode([anchor])).toEqual([
      { label: 'dog', classId: DOG, score: 0.75, box: [100, 100, 300, 200] },
    ])
  })

  it('reads boxes with an axis of one, too', () => {
    const outputs = outputsOf([{ scores: { [DOG]: 0.75 } }])
    const { boxes, scores } = outputs
    if (!boxes || !scores) throw new Error('both were made above')
    const nested = { scores, boxes: { ...boxes, dims: [1, 1, 1, 4] } }
    const options = optionsFor(manifest)
    expect(model.postprocess(nested, placement, options)).toEqual(
      model.postprocess(outputs, placement, options),
    )
  })

  it('sorts by score, from the threshold on', () => {
    const found = decode([
      { scores: { [DOG]: 0.5 } },
      { scores: { [CAT]: 0.875 } },
      { scores: { [DOG]: 0.4999 } },
      { scores: { [PERSON]: 0.625 } },
    ])
    expect(found.map(({ label, score }) => [label, score])).toEqual([
      ['cat', 0.875],
      ['person', 0.625],
      ['dog', 0.5],
    ])
  })

  it('removes overlaps within a class and leaves them between classes', () => {
    const place = { top: 0, left: 0, bottom: 0.5, right: 0.5 }
    const found = decode([
      { scores: { [DOG]: 0.9, [CAT]: 0.7 }, ...place },
      { scores: { [DOG]: 0.8 }, ...place, right: 0.49 },
    ])
    expect(found.map(({ label, score }) => [label, score])).toEqual([
      ['dog', 0.9],
      ['cat', 0.7],
    ])
  })

  it('reports no class that does not exist or was not asked for', () => {
    const anchors = [{ scores: { [MISSING]: 0.9, [DOG]: 0.8, [CAT]: 0.7 } }]
    expect(decode(anchors).map(({ label }) => label)).toEqual(['dog', 'cat'])
    expect(decode(anchors, { labels: ['cat', 'zebra'] }).map(({ label }) => label)).toEqual(['cat'])
    expect(decode(anchors, { labels: [] })).toEqual([])
  })

  it('clips boxes to the frame and drops those outside', () => {
    const found = decode([
      { scores: { [DOG]: 0.9 }, top: -0.2, left: -0.1, bottom: 0.5, right: 0.5 },
      { scores: { [DOG]: 0.8 }, top: 0.6, left: 0.9, bottom: 1.5, right: 1.2 },
      { scores: { [DOG]: 0.7 }, top: 0, left: 1.01, bottom: 1, right: 1.2 },
      { scores: { [DOG]: 0.6 }, top: 0.5, left: 0.5, bottom: 0.5, right: 0.7 },
    ])
    expect(found.map(({ box }) => box)).toEqual([
      [0, 0, 500, 250],
      [900, 300, 100, 200],
    ])
  })

  it('rounds boxes to a tenth of a pixel and scores to a thousandth, and clamps scores', () => {
    const found = decode([
      { scores: { [DOG]: 1.5 }, top: 0.1, left: 0.11117, bottom: 0.2, right: 0.22224 },
      { scores: { [CAT]: 0.87654 } },
    ])
    expect(found.map(({ score }) => score)).toEqual([1, 0.877])
    expect(found[0]?.box).toEqual([111.2, 50, 111, 50])
  })

  it('keeps a sliver at the edge within the frame', () => {
    const found = decode([
      { scores: { [DOG]: 0.9 }, top: 0.99999, left: 0.99999, bottom: 1.2, right: 1.2 },
      { scores: { [CAT]: 0.8 }, top: -1, left: -1, bottom: 0.00001, right: 0.00001 },
    ])
    expect(found.map(({ box }) => box)).toEqual([
      [999.9, 499.9, 0.1, 0.1],
      [0, 0, 0.1, 0.1],
    ])
  })

  it('drops what is not a finite number', () => {
    const found = decode([
      { scores: { [DOG]: Number.NaN, [CAT]: Number.POSITIVE_INFINITY } },
      { scores: { [DOG]: 0.9 }, top: Number.NaN },
      { scores: { [DOG]: 0.9 }, right: Number.POSITIVE_INFINITY },
      { scores: { [PERSON]: 0.6 } },
    ])
    expect(found.map(({ label }) => label)).toEqual(['person'])
  })

  it('gives at most maxItems, the best', () => {
    const anchors = Array.from({ length: 9 }, (_, i) => ({ scores: { [DOG]: 0.6 + i / 64 } }))
    const found = decode(anchors, { maxItems: 2 })
    expect(found.map(({ score }) => score)).toEqual([0.725, 0.709])
  })

  it('stays quick and right when every score counts', () => {
    const best = { scores: { [DOG]: 0.99 }, top: 0, left: 0, bottom: 0.1, right: 0.1 }
    const all = Array.from({ length: 20_000 }, (_, i) => ({
      scores: { [DOG]: (i % 97) / 100, [CAT]: (i % 89) / 100 },
      top: 0.2,
      bottom: 0.3,
      left: (i % 9) / 10,
      right: (i % 9) / 10 + 0.1,
    }))
    const start = performance.now()
    const found = decode([...all, best], { minScore: 0, maxItems: 5 })
    expect(performance.now() - start).toBeLessThan(2000)
    expect(found[0]).toMatchObject({ label: 'dog', score: 0.99 })
    expect(found[1]?.score).toBe(0.96)
  })

  it.each([
    { name: 'scores', dims: [1, 1, 91], dtype: 'float32', data: new Float32Array(91) },
    { name: 'scores', dims: [1, 4], dtype: 'float32', data: new Float32Array(4) },
    { name: 'scores', dims: [1, 1, 4], dtype: 'uint8', data: new Uint8Array(4) },
    { name: 'boxes', dims: [1, 2, 4], dtype: 'float32', data: new Float32Array(8) },
    { name: 'boxes', dims: [1, 4, 1], dtype: 'float32', data: new Float32Array(4) },
  ] as const)(
    'names what it got and expected when $name is $dtype $dims',
    ({ name, ...tensor }) => {
      const outputs = { ...outputsOf([{ scores: { [DOG]: 0.75 } }]), [name]: tensor }
      expect(() => model.postprocess(outputs, placement, optionsFor(manifest))).toThrow(
        expect.objectContaining({
          code: 'INFERENCE_FAILED',
          message: expect.stringMatching(
            new RegExp(`'${name}' is ${tensor.dtype} \\[${tensor.dims}\\].*expect float32 \\[1,`),
          ),
        }),
      )
    },
  )

  it('names the outputs that there are when one is missing', () => {
    const { scores } = outputsOf([{ scores: { [DOG]: 0.75 } }])
    if (!scores) throw new Error('it was made above')
    expect(() => model.postprocess({ scores }, placement, optionsFor(manifest))).toThrow(
      expect.objectContaining({
        code: 'INFERENCE_FAILED',
        message: expect.stringContaining("'boxes' is not among scores"),
      }),
    )
  })
})
