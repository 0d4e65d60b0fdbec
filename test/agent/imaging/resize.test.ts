import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { resizeRgb } from '../../../agent/imaging/resize.ts'
import { noise } from './noise.ts'

beforeAll(() => tf.setBackend('cpu'))

function resized(data: Uint8Array, from: [number, number], to: [number, number]): Uint8Array {
  const [width, height] = to
  const target = new Uint8Array(width * height * 3)
  resizeRgb(
    { width: from[0], height: from[1], data },
    { width, height, data: target, stride: width * 3 },
  )
  return target
}

describe('resizing RGB', () => {
  it.each([
    { from: [64, 48], to: [30, 30] },
    { from: [37, 23], to: [16, 9] },
    { from: [16, 9], to: [37, 23] },
    { from: [5, 200], to: [7, 3] },
    { from: [1, 1], to: [4, 4] },
  ] as { from: [number, number]; to: [number, number] }[])(
    'agrees with TensorFlow from $from to $to',
    async ({ from, to }) => {
      const data = noise(from[0] * from[1] * 3, 7)
      const picture = tf.tensor3d(data, [from[1], from[0], 3], 'float32')
      const expected = await tf.image.resizeBilinear(picture, [to[1], to[0]]).data()
      const actual = resized(data, from, to)
      expect(actual).toHaveLength(expected.length)
      const worst = Math.max(...expected.map((value, i) => Math.abs(value - (actual[i] ?? 0))))
      expect(worst).toBeLessThan(0.5 + 255 / 1024)
    },
  )

  it('copies a picture of the same size', () => {
    const data = noise(11 * 7 * 3, 3)
    expect(resized(data, [11, 7], [11, 7])).toEqual(data)
  })

  it('writes only its columns of rows that are longer', () => {
    const target = new Uint8Array(4 * 20).fill(99)
    resizeRgb(
      { width: 8, height: 8, data: new Uint8Array(8 * 8 * 3).fill(1) },
      { width: 4, height: 4, data: target, stride: 20 },
    )
    expect([...target]).toEqual([...target].map((_, i) => (i % 20 < 12 ? 1 : 99)))
  })
})
