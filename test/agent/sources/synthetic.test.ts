import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { Source } from '../../../agent/core/stages.ts'
import { liveFrames } from '../../../agent/media/frame-count.ts'
import { readFrameNumber } from '../../../agent/media/frame-number.ts'
import { copyOf } from '../../../agent/media/yuv.ts'
import { createSource } from '../../../agent/sources/registry.ts'
import { squareAt } from '../../../agent/sources/synthetic-scene.ts'
import { conformsToSource } from '../../conformance/source.ts'
import { readAll, sourceContext, witness } from './surroundings.ts'

function open(query: string, faults = false): Source {
  return createSource({ url: `synthetic:${query}` }, sourceContext({ faults }))
}

afterEach(() => {
  expect(liveFrames()).toBe(0)
})

conformsToSource('a synthetic recording', () => open(''))
conformsToSource('a synthetic camera', () => open('?live=1&fps=50'))
conformsToSource('a slow synthetic camera', () => open('?live=1&fps=4'))

describe('a synthetic recording', () => {
  it('shows its frame number and its square where they are said to be', async () => {
    const samples = open('?width=640&height=360&frames=130').samples(
      new AbortController().signal,
      witness(),
    )
    let expected = 0
    for await (const { frame } of samples) {
      const picture = await copyOf(frame)
      expect(readFrameNumber(picture)).toBe(expected)
      const [x, y, side] = squareAt(expected, frame)
      const row = picture.y.subarray((y + (side >> 1)) * 640, (y + (side >> 1) + 1) * 640)
      expect(row.findIndex((luma) => luma > 120)).toBe(x)
      expect(row.findLastIndex((luma) => luma > 120)).toBe(x + side - 1)
      frame.release()
      expected += 1
    }
    expect(expected).toBe(130)
  })

  it('is as large, as fast and as long as asked', async () => {
    const events = witness()
    const samples = await readAll(open('?width=320&height=240&fps=10&frames=4'), events)
    expect(events.infos).toEqual([{ width: 320, height: 240, fps: 10 }])
    expect(samples.map((sample) => sample.pts)).toEqual([0, 0.1, 0.2, 0.3])
  })

  it('is no camera, and waits for its taker', async () => {
    const source = open('?frames=3')
    expect(source.live).toBe(false)
    const events = witness()
    await readAll(source, events)
    expect(events.drops).toBe(0)
  })
})

describe('a synthetic camera', () => {
  it('goes on while nobody looks: the newest frame wins, the others are counted', async () => {
    const source = open('?live=1&fps=200&frames=100')
    expect(source.live).toBe(true)
    const events = witness()
    const samples = source.samples(new AbortController().signal, events)[Symbol.asyncIterator]()
    const numbers: number[] = []
    for (let next = await samples.next(); !next.done; next = await samples.next()) {
      numbers.push(readFrameNumber(await copyOf(next.value.frame)))
      next.value.frame.release()
      const busyUntil = performance.now() + 50
      while (performance.now() < busyUntil) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(numbers.at(-1)).toBe(99)
    expect(numbers.length).toBeLessThan(50)
    expect(events.drops).toBe(100 - numbers.length)
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
  })
})

describe('faults', () => {
  it.each(['crash=segv&at=1', 'hang=1', 'freeze=1', 'error=1'])(
    'are refused where nobody tests: %s',
    (query) => {
      expect(() => open(`?${query}`)).toThrow(expect.objectContaining({ code: 'SOURCE_FORBIDDEN' }))
    },
  )

  it('break the source off at the frame that was asked for', async () => {
    const seen: number[] = []
    const events = { ...witness(), opened: () => undefined }
    const reading = async () => {
      for await (const { frame, pts } of open('?error=3&fps=10', true).samples(
        new AbortController().signal,
        events,
      )) {
        seen.push(pts ?? -1)
        frame.release()
      }
    }
    await expect(reading()).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE', retryable: true })
    expect(seen).toEqual([0, 0.1, 0.2])
  })

  it('silence the source until it is closed', async () => {
    const abort = new AbortController()
    const samples = open('?hang=1', true).samples(abort.signal, witness())[Symbol.asyncIterator]()
    const first = await samples.next()
    if (!first.done) first.value.frame.release()
    const second = samples.next()
    const settled = await Promise.race([
      second.then(() => true),
      new Promise((r) => setTimeout(r, 50)),
    ])
    expect(settled).toBeUndefined()
    abort.abort()
    expect(await second).toMatchObject({ done: true })
  })

  it.each([
    ['crash=segv&at=2', 'SIGSEGV'],
    ['freeze=2', 'SIGKILL'],
  ])('take their process along: %s', (query, signal) => {
    const program = `
      import { createSource } from '${pathToFileURL(resolve('agent/sources/registry.ts')).href}'
      const context = { limits: { faults: true, maxPixels: 1e6 }, defaultPace: 'fast' }
      const source = createSource({ url: 'synthetic:?width=64&height=64&${query}' }, context)
      const events = { opened() {}, skipped() {}, dropped() {} }
      for await (const { frame, pts } of source.samples(new AbortController().signal, events)) {
        process.stdout.write(pts + ' ')
        frame.release()
      }`
    const child = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', program],
      { timeout: 5000, killSignal: 'SIGKILL' },
    )
    expect(child.stdout.toString()).toBe('0 0.04 ')
    expect(child.signal).toBe(signal)
  })
})

it.each(['?wdth=3', '?width=x', '?width=0', '?fps=', '?frames=1.5', '?live=2'])(
  'refuses %s and says what is allowed',
  (query) => {
    expect(() => open(query)).toThrow(expect.objectContaining({ code: 'SOURCE_UNSUPPORTED' }))
    expect(() => open(query)).toThrow(/allowed/)
  },
)
