import { createHash } from 'node:crypto'
import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { setTimeout as passed } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { VideoReader } from '../../agent/media/engine.ts'
import { liveFrames } from '../../agent/media/frame-count.ts'
import { copyOf } from '../../agent/media/yuv.ts'
import {
  clip,
  framesByFfprobe,
  hasFfmpeg,
  readVideo,
  shipped,
  temporaryPath,
  timesByFfprobe,
  videoOptions,
} from '../agent/media/clips.ts'
import type { MakeEngine } from './media-engine.ts'

const testPattern = ['-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=25:duration=2']

/** A clip's name, and how it is encoded. */
const formats: readonly [string, readonly string[]][] = [
  ['clip.mp4', ['-c:v', 'libx264', '-bf', '3']],
  ['clip.mkv', ['-c:v', 'libx264', '-bf', '3']],
  ['clip.avi', ['-c:v', 'mpeg4', '-bf', '2']],
  ['clip.ts', ['-c:v', 'libx264', '-bf', '3']],
  ['clip.flv', ['-c:v', 'libx264']],
  ['clip.mpg', ['-c:v', 'mpeg2video']],
  ['vp8.webm', ['-c:v', 'libvpx', '-deadline', 'realtime']],
  ['vp9.webm', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8']],
  ['clip.h264', ['-c:v', 'libx264', '-bf', '0']],
]

/** What every engine's decoding must keep to. */
export function conformsToDecoding(name: string, create: MakeEngine): void {
  describe(`${name}, decoding,`, () => {
    afterEach(() => {
      expect(liveFrames()).toBe(0)
    })

    it('gives all 368 frames of the demo clip, the last ones too', async () => {
      const { times, info } = await readVideo(create(), shipped('dog.mp4'))
      expect(times).toHaveLength(368)
      expect(times.at(-1)).toBeCloseTo(367 / 30, 3)
      expect(info).toEqual({ width: 1280, height: 720, fps: 30 })
    })

    it.skipIf(!hasFfmpeg).each([
      ['longer', 'size=320x240:rate=25:duration=3'],
      ['shorter', 'size=320x240:rate=25:duration=1'],
      ['larger pictures', 'size=640x480:rate=25:duration=2'],
      ['as many bytes, with other pictures', 'size=320x240:rate=20:duration=2.5'],
    ])('gives what the file has become after a rewind: %s', async (change, pattern) => {
      const made = (name: string, source: string) =>
        clip(name, '-f', 'lavfi', '-i', `testsrc2=${source}`)
      const path = made('clip.mp4', 'size=320x240:rate=25:duration=2')
      const later = made('later.mp4', pattern)
      if (change.startsWith('as many bytes')) padToEqual(path, later)
      const fresh = await create().open({ kind: 'file', path: later }, videoOptions())
      const expected = await playOn(fresh)
      const { info } = fresh
      await fresh.close()
      const reader = await create().open({ kind: 'file', path }, videoOptions())
      expect(await playOn(reader)).not.toEqual(expected)
      copyFileSync(later, path)
      await reader.rewind()
      expect(await playOn(reader)).toEqual(expected)
      expect(reader.info).toEqual(info)
      await reader.close()
    })

    it('can be tried again when the file has become no video', async () => {
      const path = temporaryPath('clip.mp4')
      copyFileSync(shipped('dog.mp4'), path)
      const reader = await create().open({ kind: 'file', path }, videoOptions())
      writeFileSync(path, 'no video')
      await expect(reader.rewind()).rejects.toMatchObject({
        code: expect.stringMatching(/^SOURCE_/),
        retryable: true,
      })
      await reader.close()
    })

    it.skipIf(!hasFfmpeg)('waits, at a rewind, for who is writing the file', async () => {
      const path = clip('clip.mp4', ...testPattern)
      const bytes = readFileSync(path)
      const reader = await create().open({ kind: 'file', path }, videoOptions())
      const expected = await playOn(reader)
      // Its index comes last.
      writeFileSync(path, bytes.subarray(0, bytes.length / 2))
      const rewound = reader.rewind()
      await passed(300)
      appendFileSync(path, bytes.subarray(bytes.length / 2))
      await rewound
      expect(await playOn(reader)).toEqual(expected)
      await reader.close()
    })

    it('does not wait when its reader is to end', async () => {
      const path = temporaryPath('clip.mp4')
      copyFileSync(shipped('dog.mp4'), path)
      const abort = new AbortController()
      const reader = await create().open(
        { kind: 'file', path },
        videoOptions({ signal: abort.signal }),
      )
      utimesSync(path, 1, 1)
      const startedAt = performance.now()
      const rewound = reader.rewind().catch(() => undefined)
      abort.abort()
      await rewound
      await reader.close()
      expect(performance.now() - startedAt).toBeLessThan(400)
    })

    it('gives the same frames again after a rewind', async () => {
      const reader = await create().open({ kind: 'file', path: shipped('dog.mp4') }, videoOptions())
      for (let round = 0; round < 2; round++) {
        for (let index = 0; index < 3; index++) {
          const next = await reader.next()
          next?.frame.release()
          expect(next?.pts).toBeCloseTo(index / 30, 3)
        }
        await reader.rewind()
      }
      await reader.close()
    })

    it.skipIf(!hasFfmpeg).each(formats)(
      'gives as many frames of %s as ffprobe counts, with one thread and with several',
      async (name, codec) => {
        const path = clip(name, ...testPattern, ...codec)
        const expected = framesByFfprobe(path)
        expect(expected).toBeGreaterThan(40)
        for (const threads of [1, 4]) {
          const { times } = await readVideo(create(), path, { threads })
          expect(times).toHaveLength(expected)
          expect(times).toEqual(times.toSorted((a, b) => a - b))
        }
      },
    )

    it.skipIf(!hasFfmpeg).each(formats)(
      'gives every picture of %s again after its end, and from amidst',
      async (name, codec) => {
        const path = clip(name, ...testPattern, ...codec)
        const reader = await create().open({ kind: 'file', path }, videoOptions())
        const first = await playOn(reader)
        expect(first.length).toBeGreaterThan(40)
        for (const stopAt of [Number.POSITIVE_INFINITY, 20, 0, Number.POSITIVE_INFINITY]) {
          await reader.rewind()
          expect(await playOn(reader, stopAt)).toEqual(first.slice(0, stopAt))
        }
        await reader.close()
      },
    )

    it.skipIf(!hasFfmpeg).each([
      ['clip.mp4', ['-c:v', 'libx264', '-bf', '3']],
      ['clip.ts', ['-c:v', 'libx264', '-bf', '2']],
      [
        'uneven.mkv',
        ['-vf', "select='not(eq(mod(n,3),1))'", '-fps_mode', 'vfr', '-c:v', 'libx264'],
      ],
    ])('gives the times of %s that ffprobe gives', async (name, codec) => {
      const path = clip(name, ...testPattern, ...codec)
      const { times } = await readVideo(create(), path)
      const expected = timesByFfprobe(path)
      expect(times).toHaveLength(expected.length)
      const errors = times.map((time, index) => Math.abs(time - (expected[index] ?? 0)))
      expect(Math.max(...errors)).toBeLessThan(0.0001)
    })

    it('decodes only what is asked for', async () => {
      const path = shipped('dog.mp4')
      const keys = (await readVideo(create(), path, { decode: 'key' })).times
      const referenced = (await readVideo(create(), path, { decode: 'nonref' })).times
      const all = (await readVideo(create(), path)).times
      expect(keys.length).toBeGreaterThan(0)
      expect(keys.length).toBeLessThan(referenced.length)
      expect(referenced.length).toBeLessThanOrEqual(all.length)
    })

    it.skipIf(!hasFfmpeg)(
      'keeps the pictures of a damaged file, and says what it skipped',
      async () => {
        const path = clip('damaged.ts', ...testPattern, '-c:v', 'libx264', '-g', '10')
        const bytes = readFileSync(path)
        for (let at = 20_000; at < bytes.length; at += 9_000) bytes.fill(0xaa, at, at + 120)
        writeFileSync(path, bytes)
        const skipped: Error[] = []
        const { times } = await readVideo(create(), path, {
          skipped: (error) => skipped.push(error),
        })
        expect(times.length).toBeGreaterThan(40)
        for (const error of skipped) expect(error).toMatchObject({ code: 'SOURCE_DECODE' })
      },
    )

    it('ends a truncated file where its data ends', async () => {
      const path = temporaryPath('short.mp4')
      writeFileSync(path, readFileSync(shipped('dog.mp4')))
      truncateSync(path, 400_000)
      const { times } = await readVideo(create(), path)
      expect(times.length).toBeGreaterThan(100)
      expect(times.length).toBeLessThan(368)
    })

    it('refuses a video whose pictures are larger than allowed, before it decodes one', async () => {
      const opening = create().open(
        { kind: 'file', path: shipped('dog.mp4') },
        videoOptions({ maxPixels: 1280 * 720 - 1 }),
      )
      await expect(opening).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
      await expect(opening).rejects.toThrow('1280×720')
    })

    it.each([
      ['dog.jpg', 'SOURCE_UNSUPPORTED'],
      ['nothing.mp4', 'SOURCE_UNREACHABLE'],
      ['ATTRIBUTION.md', 'SOURCE_DECODE'],
    ])('refuses %s with %s', async (name, code) => {
      const opening = create().open({ kind: 'file', path: shipped(name) }, videoOptions())
      await expect(opening).rejects.toMatchObject({ code })
    })
  })
}

/** Time and pixels of each picture that comes, at most `count`. */
async function playOn(reader: VideoReader, count = Number.POSITIVE_INFINITY): Promise<string[]> {
  const pictures: string[] = []
  while (pictures.length < count) {
    const next = await reader.next()
    if (!next) break
    const { y, u, v } = await copyOf(next.frame)
    next.frame.release()
    const pixels = createHash('sha256').update(y).update(u).update(v).digest('hex')
    pictures.push(`${next.pts.toFixed(4)} ${pixels}`)
  }
  return pictures
}

/** Makes the shorter of two MP4 files as long as the other, by a box of nothing. */
function padToEqual(...paths: [string, string]): void {
  const sizes = paths.map((path) => statSync(path).size)
  const length = Math.max(...sizes) + 64
  for (const [index, path] of paths.entries()) {
    const box = Buffer.alloc(length - (sizes[index] ?? 0))
    box.writeUInt32BE(box.length, 0)
    box.write('free', 4)
    appendFileSync(path, box)
  }
}
