import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { Frame } from '../../../agent/core/stages.ts'
import { rgbToYuv } from '../../../agent/imaging/colour.ts'
import type { StreamInput, VideoInput, VideoOptions } from '../../../agent/media/engine.ts'
import { liveFrames } from '../../../agent/media/frame-count.ts'
import { nodeAvEngine } from '../../../agent/media/node-av.ts'
import {
  clip,
  decodedByFfmpeg,
  framesByFfprobe,
  hasFfmpeg,
  shipped,
  temporaryPath,
  videoOptions,
} from './clips.ts'

const engine = nodeAvEngine()

afterEach(() => {
  expect(liveFrames()).toBe(0)
})

/** Reads a video to its end; `look` sees each frame, which is released after it. */
async function readVideo(
  input: VideoInput | string,
  options: Partial<VideoOptions> = {},
  look: (frame: Frame, index: number) => Promise<void> = async () => undefined,
): Promise<{ times: number[]; info: object }> {
  const source = typeof input === 'string' ? ({ kind: 'file', path: input } as const) : input
  const reader = await engine.open(source, videoOptions(options))
  const times: number[] = []
  for (let next = await reader.next(); next; next = await reader.next()) {
    await look(next.frame, times.length)
    next.frame.release()
    times.push(next.pts)
  }
  const { info } = reader
  await reader.close()
  return { times, info }
}

const testPattern = ['-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=25:duration=2']

describe('decoding', () => {
  it('gives all 368 frames of the demo clip, the last ones too', async () => {
    const { times, info } = await readVideo(shipped('dog.mp4'))
    expect(times).toHaveLength(368)
    expect(times.at(-1)).toBeCloseTo(367 / 30, 3)
    expect(info).toEqual({ width: 1280, height: 720, fps: 30 })
  })

  it('gives the same frames again after a rewind', async () => {
    const reader = await engine.open({ kind: 'file', path: shipped('dog.mp4') }, videoOptions())
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

  it.skipIf(!hasFfmpeg).each([
    ['clip.mp4', ['-c:v', 'libx264', '-bf', '3']],
    ['clip.mkv', ['-c:v', 'libx264', '-bf', '3']],
    ['clip.avi', ['-c:v', 'mpeg4', '-bf', '2']],
    ['clip.ts', ['-c:v', 'libx264', '-bf', '3']],
    ['clip.flv', ['-c:v', 'libx264']],
    ['clip.mpg', ['-c:v', 'mpeg2video']],
    ['vp8.webm', ['-c:v', 'libvpx', '-deadline', 'realtime']],
    ['vp9.webm', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8']],
    ['clip.h264', ['-c:v', 'libx264', '-bf', '0']],
  ])(
    'gives as many frames of %s as ffprobe counts, with one thread and with several',
    async (name, codec) => {
      const path = clip(name, ...testPattern, ...codec)
      const expected = framesByFfprobe(path)
      expect(expected).toBeGreaterThan(40)
      for (const threads of [1, 4]) {
        const { times } = await readVideo(path, { threads })
        expect(times).toHaveLength(expected)
        expect(times).toEqual(times.toSorted((a, b) => a - b))
      }
    },
  )

  it('decodes only what is asked for', async () => {
    const path = shipped('dog.mp4')
    const keys = (await readVideo(path, { decode: 'key' })).times
    const referenced = (await readVideo(path, { decode: 'nonref' })).times
    const all = (await readVideo(path)).times
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
      const { times } = await readVideo(path, { skipped: (error) => skipped.push(error) })
      expect(times.length).toBeGreaterThan(40)
      for (const error of skipped) expect(error).toMatchObject({ code: 'SOURCE_DECODE' })
    },
  )

  it('ends a truncated file where its data ends', async () => {
    const path = temporaryPath('short.mp4')
    writeFileSync(path, readFileSync(shipped('dog.mp4')))
    truncateSync(path, 400_000)
    const { times } = await readVideo(path)
    expect(times.length).toBeGreaterThan(100)
    expect(times.length).toBeLessThan(368)
  })

  it('refuses a video whose pictures are larger than allowed, before it decodes one', async () => {
    const opening = engine.open(
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
    const opening = engine.open({ kind: 'file', path: shipped(name) }, videoOptions())
    await expect(opening).rejects.toMatchObject({ code })
  })

  it('says how to install node-av where it is missing', async () => {
    const missing = nodeAvEngine(async () => {
      const { loadNodeAv } = await import('../../../agent/media/node-av-library.ts')
      return await loadNodeAv(() => Promise.reject(new Error("Cannot find package 'node-av'")))
    })
    const opening = missing.open({ kind: 'file', path: shipped('dog.mp4') }, videoOptions())
    await expect(opening).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' })
    await expect(opening).rejects.toThrow('npm install node-av')
  })

  it('leaves nothing behind that keeps the process alive', () => {
    const program = `
      import { nodeAvEngine } from '${pathToFileURL(resolve('agent/media/node-av.ts')).href}'
      const options = { signal: new AbortController().signal, threads: 2, maxPixels: 1e6, decode: 'all' }
      const reader = await nodeAvEngine().open({ kind: 'file', path: process.argv[1] }, options)
      const { frame } = await reader.next()
      await reader.rewind()
      await reader.close()
      frame.release()
      process.stdout.write('closed')`
    const child = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', program, shipped('dog.mp4')],
      { timeout: 15_000 },
    )
    expect(child.stdout.toString()).toBe('closed')
    expect([child.status, child.signal]).toEqual([0, null])
  })

  it('holds no more memory after many frames than after few', async () => {
    const path = shipped('dog.mp4')
    await readVideo(path)
    global.gc?.()
    const before = process.memoryUsage().rss
    for (let round = 0; round < 4; round++) await readVideo(path)
    global.gc?.()
    const frameBytes = 1280 * 720 * 1.5
    expect(process.memoryUsage().rss - before).toBeLessThan(40 * frameBytes)
  })
})

describe('a stream', () => {
  const bytes = readFileSync(shipped('dog.mp4'))

  function stream(options: Partial<StreamInput> = {}): StreamInput & { closed: number } {
    const input = {
      kind: 'stream' as const,
      name: 'the stream',
      size: bytes.length,
      seekable: true,
      closed: 0,
      read: async (position: number, length: number) =>
        bytes.subarray(position, position + Math.min(length, 5000)),
      async close() {
        input.closed += 1
      },
      ...options,
    }
    return input
  }

  it('gives the frames of its bytes and is closed at the end', async () => {
    const input = stream()
    expect((await readVideo(input)).times).toHaveLength(368)
    expect(input.closed).toBe(1)
  })

  it('is never asked to go back when it cannot, but to start over', async () => {
    const positions: number[] = []
    const input = stream({
      seekable: false,
      read: async (position, length) => {
        positions.push(position)
        return bytes.subarray(position, position + length)
      },
    })
    expect((await readVideo(input)).times).toHaveLength(368)
    expect(positions).toEqual(positions.toSorted((a, b) => a - b))
  })

  it('that fails is the failure of the video', async () => {
    const input = stream({
      read: async (position, length) => {
        if (position > 300_000) throw new Error('the line is dead')
        return bytes.subarray(position, position + length)
      },
    })
    await expect(readVideo(input)).rejects.toThrow('the line is dead')
  })

  it('that is silent ends when it is aborted, and is closed', async () => {
    const abort = new AbortController()
    const input = stream({
      read: (position, length) =>
        position < 200_000
          ? Promise.resolve(bytes.subarray(position, position + length))
          : new Promise((_, reject) => {
              abort.signal.addEventListener('abort', () => reject(abort.signal.reason))
              abort.abort()
            }),
    })
    const { times } = await readVideo(input, { signal: abort.signal })
    expect(abort.signal.aborted).toBe(true)
    expect(times.length).toBeLessThan(368)
    expect(input.closed).toBe(1)
  })

  it('that is a playlist is refused', async () => {
    const playlist = Buffer.from('#EXTM3U\n#EXT-X-VERSION:3\nhttp://10.0.0.1/a.ts\n')
    const input = stream({
      size: playlist.length,
      read: async (position, length) => playlist.subarray(position, position + length),
    })
    await expect(readVideo(input)).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' })
    expect(input.closed).toBe(1)
  })
})

describe('pixels', () => {
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
    const copy = await next?.frame.copy()
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

  it.skipIf(!hasFfmpeg).each([90, 180, 270])('are turned upright: %i degrees', async (degrees) => {
    const path = rotated(degrees)
    const { width, height, rgb } = await firstRgb(path)
    expect([width, height]).toEqual(degrees === 180 ? [96, 64] : [64, 96])
    expect(medianDifference(rgb, decodedByFfmpeg(path, 'rgb24'))).toBeLessThanOrEqual(3)
    const { y, u, v } = await firstCopy(path)
    expect(Buffer.concat([y, u, v]).equals(decodedByFfmpeg(path, 'yuv420p'))).toBe(true)
  })

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
