import { spawnSync } from 'node:child_process'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { liveFrames } from '../../../agent/media/frame-count.ts'
import { nodeAvEngine } from '../../../agent/media/node-av.ts'
import {
  clip,
  framesByFfprobe,
  hasFfmpeg,
  readVideo,
  shipped,
  temporaryPath,
  videoOptions,
} from './clips.ts'

const engine = nodeAvEngine()

afterEach(() => {
  expect(liveFrames()).toBe(0)
})

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
