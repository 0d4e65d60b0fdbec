import { readFileSync } from 'node:fs'
import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import { pixelBudget } from '../../../agent/core/pixel-budget.ts'
import type { Frame } from '../../../agent/core/stages.ts'
import { liveFrames } from '../../../agent/media/frame-count.ts'
import { decodeStill, encodeJpeg } from '../../../agent/media/stills.ts'
import { copyOf } from '../../../agent/media/yuv.ts'
import { shipped } from './clips.ts'

const limits = { maxPixels: 10_000_000 }

afterEach(() => {
  expect(liveFrames()).toBe(0)
})

type Colour = readonly [number, number, number]

/** The colour at a place given in parts of the width and height. */
async function colourAt(frame: Frame, x: number, y: number): Promise<Colour> {
  const { width, height } = frame
  const data = new Uint8Array(width * height * 3)
  await frame.scaleTo({ width, height, stride: width * 3, data })
  const at = (Math.floor(y * height) * width + Math.floor(x * width)) * 3
  return [data[at] ?? -1, data[at + 1] ?? -1, data[at + 2] ?? -1]
}

/** A picture whose left half is red and whose right half is blue. */
function redBlue(channels: 3 | 4 = 3, height = 32) {
  const half = { width: 32, height, channels, background: { r: 0, g: 0, b: 255, alpha: 0.5 } }
  const red = { create: { ...half, width: 16, background: { r: 255, g: 0, b: 0, alpha: 1 } } }
  return sharp({ create: half }).composite([{ input: red, left: 0, top: 0 }])
}

describe('decodeStill', () => {
  it('decodes a photograph in its own size', async () => {
    const frame = await decodeStill(readFileSync(shipped('dog.jpg')), limits)
    expect([frame.width, frame.height]).toEqual([1280, 960])
    frame.release()
  })

  it.each(['png', 'webp', 'gif', 'avif', 'jpeg'] as const)('decodes %s', async (format) => {
    const bytes = await redBlue().toFormat(format).toBuffer()
    const frame = await decodeStill(bytes, limits)
    const [red] = await colourAt(frame, 0.25, 0.5)
    const [, , blue] = await colourAt(frame, 0.75, 0.5)
    expect(red).toBeGreaterThan(235)
    expect(blue).toBeGreaterThan(235)
    frame.release()
  })

  it.each([
    [3, [32, 16], [0.9, 0.5]],
    [6, [16, 32], [0.5, 0.1]],
    [8, [16, 32], [0.5, 0.9]],
  ] as const)(
    'turns a picture upright by EXIF orientation %i',
    async (orientation, size, redEnd) => {
      const bytes = await redBlue(3, 16)
        .jpeg({ quality: 95 })
        .withMetadata({ orientation })
        .toBuffer()
      const frame = await decodeStill(bytes, limits)
      expect([frame.width, frame.height]).toEqual(size)
      const [red, , blue] = await colourAt(frame, redEnd[0] ?? 0, redEnd[1] ?? 0)
      expect(red).toBeGreaterThan(200)
      expect(blue).toBeLessThan(60)
      frame.release()
    },
  )

  it('puts transparent parts on black', async () => {
    const bytes = await redBlue(4).png().toBuffer()
    const frame = await decodeStill(bytes, limits)
    const [red, green, blue] = await colourAt(frame, 0.75, 0.5)
    expect([red, green]).toEqual([0, 0])
    expect(blue).toBeGreaterThan(120)
    expect(blue).toBeLessThan(135)
    frame.release()
  })

  it.each([
    ['grey', () => redBlue().toColourspace('b-w').png()],
    ['16 bits', () => redBlue().toColourspace('rgb16').png()],
    ['a palette', () => redBlue().png({ palette: true })],
    ['CMYK', () => redBlue().toColourspace('cmyk').jpeg()],
  ])('decodes pictures of %s', async (_, make) => {
    const frame = await decodeStill(await make().toBuffer(), limits)
    const left = await colourAt(frame, 0.25, 0.5)
    const right = await colourAt(frame, 0.75, 0.5)
    expect(left).not.toEqual(right)
    expect(Math.max(...left)).toBeGreaterThan(50)
    frame.release()
  })

  it('takes the first picture of an animation', async () => {
    const frames = [0, 1, 2].map((index) => (index === 0 ? 255 : 0))
    const raw = Buffer.concat(frames.map((value) => Buffer.alloc(8 * 8 * 3, value)))
    const bytes = await sharp(raw, { raw: { width: 8, height: 24, channels: 3, pageHeight: 8 } })
      .gif()
      .toBuffer()
    expect((await sharp(bytes).metadata()).pages).toBeGreaterThan(1)
    const frame = await decodeStill(bytes, limits)
    expect([frame.width, frame.height]).toEqual([8, 8])
    expect(await colourAt(frame, 0.5, 0.5)).toEqual([255, 255, 255])
    frame.release()
  })

  it.each([
    ['an empty file', Buffer.alloc(0), 'SOURCE_DECODE'],
    ['a text', Buffer.from('hello'), 'SOURCE_DECODE'],
    ['half a photograph', readFileSync(shipped('dog.jpg')).subarray(0, 20_000), 'SOURCE_DECODE'],
    ['a drawing', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'SOURCE_UNSUPPORTED'],
    ['a video', readFileSync(shipped('dog.mp4')), 'SOURCE_UNSUPPORTED'],
    ['a playlist', Buffer.from('#EXTM3U\n'), 'SOURCE_FORBIDDEN'],
  ])('refuses %s', async (_, bytes, code) => {
    const decoding = decodeStill(bytes, { ...limits, name: 'gate.jpg' })
    await expect(decoding).rejects.toMatchObject({ code })
    await expect(decoding).rejects.toThrow('gate.jpg')
  })

  it('refuses a picture with more pixels than allowed, and names the limit', async () => {
    const decoding = decodeStill(readFileSync(shipped('dog.jpg')), { maxPixels: 1280 * 960 - 1 })
    await expect(decoding).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    await expect(decoding).rejects.toThrow(`${1280 * 960 - 1}`)
  })
})

it('waits for room in memory, which a released or broken picture leaves', async () => {
  const bytes = await sharp({
    create: { width: 30, height: 20, channels: 3, background: '#123' },
  })
    .png()
    .toBuffer()
  const budget = pixelBudget(1000)
  const decode = (of: Uint8Array) => decodeStill(of, { maxPixels: 1000, budget })
  const first = await decode(bytes)
  await expect(decode(bytes.subarray(0, 60))).rejects.toMatchObject({ code: 'SOURCE_DECODE' })
  let isThere = false
  const second = decode(bytes).then((frame) => {
    isThere = true
    return frame
  })
  await sharp(bytes).raw().toBuffer()
  expect(isThere).toBe(false)
  first.release()
  const frame = await second
  frame.release()
})

describe('encodeJpeg', () => {
  it('writes a JPEG that another decoder reads as the same picture', async () => {
    const original = readFileSync(shipped('dog.jpg'))
    const frame = await decodeStill(original, limits)
    const jpeg = await encodeJpeg(await copyOf(frame), 90)
    frame.release()
    const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true })
    expect([info.format, info.width, info.height]).toEqual(['raw', 1280, 960])
    const expected = await sharp(original).raw().toBuffer()
    const total = data.reduce((sum, value, at) => sum + Math.abs(value - (expected[at] ?? 0)), 0)
    expect(total / data.length).toBeLessThan(3)
  })
})
