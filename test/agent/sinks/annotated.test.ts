import { readFileSync } from 'node:fs'
import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import type { Frame } from '../../../agent/core/stages.ts'
import { liveFrames } from '../../../agent/media/frame-count.ts'
import { nodeAvEngine } from '../../../agent/media/node-av.ts'
import { decodeStill } from '../../../agent/media/stills.ts'
import { annotated, annotator } from '../../../agent/sinks/annotated.ts'
import type { Item } from '../../../schemas/results.ts'
import { decodedByFfmpeg, hasFfmpeg, shipped } from '../media/clips.ts'
import { greyFrame, result } from './surroundings.ts'

afterEach(() => {
  expect(liveFrames()).toBe(0)
})

/** In the lower right, so that nothing is drawn above row 600. */
const dog: Item = { label: 'dog', classId: 17, score: 0.75, box: [700, 660, 200, 50] }
const FREE_ROWS = 600

const photo = (): Promise<Frame> =>
  decodeStill(readFileSync(shipped('dog.jpg')), { maxPixels: 50_000_000 })

async function firstOfClip(): Promise<Frame> {
  const options = { threads: 1, maxPixels: 50_000_000, decode: 'all' } as const
  const signal = new AbortController().signal
  const reader = await nodeAvEngine().open(
    { kind: 'file', path: shipped('dog.mp4') },
    { ...options, signal },
  )
  const next = await reader.next()
  await reader.close()
  if (!next) throw new Error('the clip is empty')
  return next.frame
}

async function drawn(frame: Frame, format: 'jpeg' | 'png') {
  const { width, height } = frame
  const bytes = await annotated(
    { result: result(0, { width, height, items: [dog] }), frame },
    format,
  )
  frame.release()
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height, length: bytes.length }
}

/** The mean and the largest difference of the rows on which nothing is drawn. */
function difference(a: Uint8Array, b: Uint8Array, width: number) {
  const bytes = FREE_ROWS * width * 3
  let [sum, most] = [0, 0]
  for (let at = 0; at < bytes; at += 1) {
    const one = Math.abs((a[at] ?? 0) - (b[at] ?? 0))
    sum += one
    most = Math.max(most, one)
  }
  return { mean: sum / bytes, most }
}

describe('an annotated picture', () => {
  it('of a still is, as PNG, its very pixels where nothing is drawn', async () => {
    const original = await sharp(shipped('dog.jpg')).raw().toBuffer()
    const picture = await drawn(await photo(), 'png')
    expect([picture.width, picture.height]).toEqual([1280, 960])
    expect(difference(picture.data, original, 1280).most).toBe(0)
    expect(picture.data.equals(original)).toBe(false)
  })

  it('of a still differs, as JPEG, by no more than JPEG does', async () => {
    const original = await sharp(shipped('dog.jpg')).raw().toBuffer()
    const again = await sharp(original, { raw: { width: 1280, height: 960, channels: 3 } })
      .jpeg({ quality: 85 })
      .toBuffer()
    const byJpeg = difference(await sharp(again).raw().toBuffer(), original, 1280)
    const picture = await drawn(await photo(), 'jpeg')
    const { mean, most } = difference(picture.data, original, 1280)
    expect(byJpeg.mean).toBeGreaterThan(0)
    expect(mean).toBeLessThanOrEqual(byJpeg.mean * 1.01)
    expect(most).toBeLessThanOrEqual(byJpeg.most + 1)
  })

  it.skipIf(!hasFfmpeg)('of a video has the colours that ffmpeg shows', async () => {
    const expected = decodedByFfmpeg(shipped('dog.mp4'), 'rgb24', 'select=eq(n\\,0)')
    const picture = await drawn(await firstOfClip(), 'png')
    expect([picture.width, picture.height]).toEqual([1280, 720])
    expect(difference(picture.data, expected, 1280).mean).toBeLessThan(1.5)
  })
})

/** Asks for so many pictures at once. */
function asked(count: number, whenBusy: 'refuses' | 'waits') {
  const pictures = annotator(whenBusy)
  const jpegs = Array.from({ length: count }, async () => {
    const frame = greyFrame()
    try {
      return await pictures.jpeg({ result: result(0), frame })
    } finally {
      frame.release()
    }
  })
  return Promise.allSettled(jpegs)
}

it('refuses, of the pictures that are to be sent, those past the third at once', async () => {
  const settled = await asked(4, 'refuses')
  expect(settled.map(({ status }) => status)).toEqual([...Array(3).fill('fulfilled'), 'rejected'])
  expect(settled[3]).toMatchObject({ reason: { code: 'LIMIT_EXCEEDED' } })
})

it('makes, of the pictures that are to be files, those past the third when it has time', async () => {
  const settled = await asked(10, 'waits')
  expect(settled.map(({ status }) => status)).toEqual(Array(10).fill('fulfilled'))
})
