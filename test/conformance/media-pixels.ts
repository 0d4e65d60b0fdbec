import { execFileSync } from 'node:child_process'
import { afterEach, describe, expect, it } from 'vitest'
import { rgbToYuv } from '../../agent/imaging/colour.ts'
import { liveFrames } from '../../agent/media/frame-count.ts'
import { copyOf } from '../../agent/media/yuv.ts'
import {
  clip,
  decodedByFfmpeg,
  hasFfmpeg,
  temporaryPath,
  videoOptions,
} from '../agent/media/clips.ts'
import type { MakeEngine } from './media-engine.ts'

/** How every engine's pictures must look: as the ffmpeg program shows them. */
export function conformsToPixels(name: string, create: MakeEngine): void {
  describe(`pixels by ${name}`, () => {
    afterEach(() => {
      expect(liveFrames()).toBe(0)
    })

    const engine = create()

    const size = 64

    /** Edges differ by how chroma is interpolated; most pixels are inside an area of one colour. */
    function medianDifference(actual: Uint8Array, expected: Uint8Array): number {
      const differences = actual.map((value, index) => Math.abs(value - (expected[index] ?? 0)))
      return differences.sort()[differences.length >> 1] ?? Number.NaN
    }

    function near(value: number, tolerance: number): unknown {
      return expect.toSatisfy((actual: number) => Math.abs(actual - value) <= tolerance)
    }

    /** RGB of the first frame, its size kept. */
    async function firstRgb(
      path: string,
    ): Promise<{ width: number; height: number; rgb: Uint8Array }> {
      const reader = await engine.open({ kind: 'file', path }, videoOptions())
      const next = await reader.next()
      if (!next) throw new Error(`no frame in ${path}`)
      const { width, height } = next.frame
      const rgb = new Uint8Array(width * height * 3)
      await next.frame.scaleTo({ width, height, stride: width * 3, data: rgb })
      next.frame.release()
      await reader.close()
      return { width, height, rgb }
    }

    /** The copy of the first frame. */
    async function firstCopy(path: string) {
      const reader = await engine.open({ kind: 'file', path }, videoOptions())
      const next = await reader.next()
      const copy = next && (await copyOf(next.frame))
      next?.frame.release()
      await reader.close()
      if (!copy) throw new Error(`no frame in ${path}`)
      return copy
    }

    it.skipIf(!hasFfmpeg).each([
      ['4:2:0', ['-pix_fmt', 'yuv420p']],
      ['4:2:0 of full range', ['-pix_fmt', 'yuvj420p', '-color_range', 'pc']],
      ['4:4:4', ['-pix_fmt', 'yuv444p']],
      ['4:2:2 with 10 bits', ['-pix_fmt', 'yuv422p10le']],
      ['4:2:0 with 10 bits', ['-pix_fmt', 'yuv420p10le']],
      [
        'BT.709',
        ['-pix_fmt', 'yuv420p', '-vf', 'scale=out_color_matrix=bt709', '-colorspace', 'bt709'],
      ],
    ])('of %s come out in the colours that ffmpeg shows', async (_, format) => {
      const colours = [
        '-f',
        'lavfi',
        '-i',
        `smptebars=size=${size * 2}x${size * 2}:rate=1:duration=1`,
      ]
      const path = clip('colours.mp4', ...colours, ...format, '-c:v', 'libx264', '-crf', '1')
      const { rgb } = await firstRgb(path)
      const expected = decodedByFfmpeg(path, 'rgb24')
      expect(rgb).toHaveLength(expected.length)
      expect(medianDifference(rgb, expected)).toBeLessThanOrEqual(2)
    })

    it.skipIf(!hasFfmpeg)('are copied as they are, without the padding of their rows', async () => {
      const path = clip(
        'odd.mkv',
        ...['-f', 'lavfi', '-i', 'testsrc2=size=322x242:rate=1:duration=1'],
        ...['-pix_fmt', 'yuv420p', '-colorspace', 'bt709', '-color_range', 'tv', '-c:v', 'libx264'],
      )
      const copy = await firstCopy(path)
      expect(copy).toMatchObject({ width: 322, height: 242, yStride: 322, uvStride: 161 })
      const planes = Buffer.concat([copy.y, copy.u, copy.v])
      expect(planes.equals(decodedByFfmpeg(path, 'yuv420p'))).toBe(true)
    })

    it.skipIf(!hasFfmpeg)('of full range are copied as limited range', async () => {
      const path = clip(
        'full.mp4',
        ...['-f', 'lavfi', '-i', 'color=white:size=64x64:rate=1:duration=1'],
        ...['-pix_fmt', 'yuvj420p', '-color_range', 'pc', '-c:v', 'libx264'],
      )
      const copy = await firstCopy(path)
      expect(copy.y[0]).toBeGreaterThanOrEqual(234)
      expect(copy.y[0]).toBeLessThanOrEqual(236)
    })

    it.skipIf(!hasFfmpeg)(
      'of standard definition are copied into the one matrix of copies',
      async () => {
        const path = clip(
          'red.mp4',
          ...['-f', 'lavfi', '-i', 'color=red:size=64x64:rate=1:duration=1'],
          ...['-vf', 'scale=out_color_matrix=bt601', '-colorspace', 'smpte170m'],
          ...['-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-crf', '1'],
        )
        const { y, u, v } = await firstCopy(path)
        const [luma, blue, red] = rgbToYuv([255, 0, 0], 'bt709')
        expect([y[0], u[0], v[0]]).toEqual([luma, blue, red].map((value) => near(value, 3)))
      },
    )

    it.skipIf(!hasFfmpeg).each([90, 180, 270])(
      'are turned upright: %i degrees',
      async (degrees) => {
        const path = rotated(degrees)
        const { width, height, rgb } = await firstRgb(path)
        expect([width, height]).toEqual(degrees === 180 ? [96, 64] : [64, 96])
        expect(medianDifference(rgb, decodedByFfmpeg(path, 'rgb24'))).toBeLessThanOrEqual(3)
        const { y, u, v } = await firstCopy(path)
        expect(Buffer.concat([y, u, v]).equals(decodedByFfmpeg(path, 'yuv420p'))).toBe(true)
      },
    )

    function rotated(degrees: number): string {
      const plain = clip(
        'plain.mp4',
        ...['-f', 'lavfi', '-i', 'testsrc2=size=96x64:rate=1:duration=1'],
        ...['-pix_fmt', 'yuv420p', '-colorspace', 'bt709', '-c:v', 'libx264', '-crf', '1'],
      )
      const path = temporaryPath('rotated.mp4')
      const rotation = ['-metadata:s:v', `rotate=${degrees}`]
      execFileSync('ffmpeg', ['-v', 'error', '-i', plain, '-c', 'copy', ...rotation, path])
      return path
    }
  })
}
