import { Value } from 'typebox/value'
import { describe, expect, it } from 'vitest'
import type { PictureSample, Tensors } from '../../../agent/core/stages.ts'
import { createModel, optionsFor } from '../../../agent/models/registry.ts'
import type { ModelManifest } from '../../../schemas/manifest.ts'
import { Detection } from '../../../schemas/results.ts'
import { rgbFrame } from '../../frames.ts'
import { noise } from '../imaging/noise.ts'

/** The outputs that a family's graph has, by name, for a manifest. */
export type OutputShapes = Readonly<Record<string, readonly number[]>>

/** What every model family must keep to, whatever its outputs mean. */
export function conformsToModel(manifest: ModelManifest, shapes: OutputShapes): void {
  describe(`${manifest.family} conforms to Model`, () => {
    const model = createModel(manifest)
    const pool = { lend: (bytes: number) => new SharedArrayBuffer(bytes) }
    const options = { ...optionsFor(manifest), minScore: 0.05, maxItems: 25 }

    it('prepares the tensor that its manifest describes, and meta that can travel', async () => {
      const { inputs, meta } = await model.preprocess(picture(64, 48, 1), pool)
      const { name, width, height, dtype } = manifest.input
      expect(Object.keys(inputs)).toEqual([name])
      expect(inputs[name]).toMatchObject({ dtype })
      expect(inputs[name]?.dims.toSorted((a, b) => a - b)).toEqual(
        [1, 3, width, height].toSorted((a, b) => a - b),
      )
      expect(inputs[name]?.data).toHaveLength(width * height * 3)
      expect(structuredClone(meta)).toEqual(meta)
    })

    it('keeps two samples apart that it prepares at once', async () => {
      const alone = await model.preprocess(picture(64, 48, 1), pool)
      const [first, second] = await Promise.all([
        model.preprocess(picture(64, 48, 1), pool),
        model.preprocess(picture(20, 90, 2), pool),
      ])
      expect(first).toEqual(alone)
      expect(second.meta).not.toEqual(alone.meta)
    })

    it('makes valid items of any numbers: in the frame, best first, not too many', async () => {
      const { meta } = await model.preprocess(picture(64, 48, 1), pool)
      let seen = 0
      for (let seed = 1; seed <= 20; seed++) {
        const items = model.postprocess(wildOutputs(shapes, seed), meta, options)
        seen += items.length
        expect(items.length).toBeLessThanOrEqual(25)
        expect(items.map(({ score }) => score)).toEqual(
          items.map(({ score }) => score).toSorted((a, b) => b - a),
        )
        for (const item of items) {
          expect(Value.Check(Detection, item)).toBe(true)
          expect(item.label).toBe(manifest.labels[item.classId])
          const [x, y, width, height] = item.box
          expect(Math.min(x, y)).toBeGreaterThanOrEqual(0)
          expect(Math.min(width, height)).toBeGreaterThan(0)
          expect(x + width).toBeLessThanOrEqual(64 + 1e-9)
          expect(y + height).toBeLessThanOrEqual(48 + 1e-9)
        }
      }
      expect(seen).toBeGreaterThan(20)
    })

    it('says the same of the same outputs again', async () => {
      const { meta } = await model.preprocess(picture(64, 48, 1), pool)
      const outputs = wildOutputs(shapes, 5)
      const before = structuredClone(outputs)
      const items = model.postprocess(outputs, meta, options)
      expect(model.postprocess(outputs, meta, options)).toEqual(items)
      expect(outputs).toEqual(before)
    })

    it('fails on outputs that are not there', async () => {
      const { meta } = await model.preprocess(picture(64, 48, 1), pool)
      expect(() => model.postprocess({}, meta, options)).toThrow(
        expect.objectContaining({ code: 'INFERENCE_FAILED' }),
      )
    })
  })
}

function picture(width: number, height: number, seed: number): PictureSample {
  const frame = rgbFrame(width, height, noise(width * height * 3, seed))
  return { kind: 'picture', frame, capturedAt: 0, decodeMs: 0 }
}

/** Outputs full of plausible numbers, with some that no network should give. */
function wildOutputs(shapes: OutputShapes, seed: number): Tensors {
  const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -5, 1e30]
  const tensors = Object.entries(shapes).map(([name, dims], index) => {
    const bytes = noise(
      dims.reduce((a, b) => a * b),
      seed * 31 + index,
    )
    const data = Float32Array.from(bytes, (byte, i) =>
      byte > 250 ? (odd[i % odd.length] ?? 0) : byte / 250,
    )
    return [name, { dtype: 'float32', dims, data }]
  })
  return Object.fromEntries(tensors)
}
