import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import type { PictureSample } from '../../../agent/core/stages.ts'
import type { Box, Item } from '../../../schemas/results.ts'
import { rgbFrame } from '../../frames.ts'
import type { OracleFixture } from '../../oracle/fixture.ts'

const media = fileURLToPath(new URL('../../../examples/media/', import.meta.url))

/** A photo of examples/media as a sample, decoded by sharp alone. */
export async function photo(name: string): Promise<PictureSample> {
  const { data, info } = await sharp(`${media}${name}`)
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const frame = rgbFrame(info.width, info.height, data)
  return { kind: 'picture', frame, capturedAt: 0, decodeMs: 0 }
}

/** See test/fixtures/oracle/README.md: made by TensorFlow.js and coco-ssd, without any of our code. */
export function oracle(name: string): OracleFixture {
  const file = new URL(`../../fixtures/oracle/${name}.json`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8'))
}

/** What an oracle says is in a picture. */
export interface Expected {
  readonly label: string
  readonly score: number
  readonly box: readonly number[]
}

/** How well an expected item was found: its best match with the same label. */
export interface Match {
  readonly label: string
  readonly iou: number
  readonly scoreError: number
}

/** Pairs each expected item with the item of the same label that covers it best. */
export function matches(expected: readonly Expected[], found: readonly Item[]): Match[] {
  return expected.map(({ label, score, box }) => {
    const pairs = found
      .filter((item) => item.label === label)
      .map((item) => ({ iou: overlap(box, item.box), scoreError: Math.abs(item.score - score) }))
    const best = pairs.toSorted((a, b) => b.iou - a.iou)[0]
    return { label, iou: best?.iou ?? 0, scoreError: best?.scoreError ?? 1 }
  })
}

/** Intersection over union, written here so that it does not share a mistake with the agent's. */
function overlap(a: readonly number[], b: Box): number {
  const [ax = 0, ay = 0, aw = 0, ah = 0] = a
  const [bx, by, bw, bh] = b
  const shared =
    Math.max(0, Math.min(ax + aw, bx + bw) - Math.max(ax, bx)) *
    Math.max(0, Math.min(ay + ah, by + bh) - Math.max(ay, by))
  return shared / (aw * ah + bw * bh - shared)
}
