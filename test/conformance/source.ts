import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Sample, Source, SourceEvents } from '../../agent/core/stages.ts'
import { liveFrames } from '../../agent/media/frame-count.ts'

/** Makes a source that has at least three samples to give. */
export type MakeSource = () => Source | Promise<Source>

/** A wait that is aborted has to end within this time, ms. */
const promptMs = 200

const ignored: SourceEvents = {
  opened: () => undefined,
  skipped: () => undefined,
  dropped: () => undefined,
}

/** What every source must keep to, whatever it reads from. */
export function conformsToSource(name: string, create: MakeSource): void {
  describe(`${name} conforms to Source`, () => {
    let abort: AbortController
    beforeEach(() => {
      abort = new AbortController()
    })
    afterEach(() => {
      abort.abort()
    })

    async function start(events: SourceEvents = ignored): Promise<AsyncIterator<Sample>> {
      const source = await create()
      return source.samples(abort.signal, events)[Symbol.asyncIterator]()
    }

    it('says that it is open, once, before its first sample', async () => {
      let opened = 0
      const samples = await start({ ...ignored, opened: () => opened++ })
      await giveBack(samples)
      expect(opened).toBe(1)
      await giveBack(samples)
      expect(opened).toBe(1)
      await samples.return?.()
    })

    it('gives pictures with a size, a time of capture and rising source times', async () => {
      const samples = await start()
      const before = Date.now() - 60_000
      let last = Number.NEGATIVE_INFINITY
      for (let count = 0; count < 3; count++) {
        const sample = await pull(samples)
        expect(sample.frame.width * sample.frame.height).toBeGreaterThan(0)
        expect(sample.capturedAt).toBeGreaterThan(before)
        expect(sample.decodeMs).toBeGreaterThanOrEqual(0)
        expect(sample.pts ?? count).toBeGreaterThan(last)
        last = sample.pts ?? count
        sample.frame.release()
      }
      await samples.return?.()
    })

    it('reads at most one sample ahead of what is asked', async () => {
      const samples = await start()
      const held = [await pull(samples), await pull(samples)]
      expect(liveFrames()).toBeGreaterThanOrEqual(2)
      expect(liveFrames()).toBeLessThanOrEqual(3)
      for (const { frame } of held) frame.release()
      await samples.return?.()
      expect(liveFrames()).toBe(0)
    })

    it('is over, with every frame released, after return()', async () => {
      const samples = await start()
      await giveBack(samples)
      await samples.return?.()
      expect(await samples.next()).toMatchObject({ done: true })
      expect(liveFrames()).toBe(0)
    })

    it('is over, with every frame released, after the signal', async () => {
      const samples = await start()
      await giveBack(samples)
      abort.abort()
      expect(await samples.next()).toMatchObject({ done: true })
      expect(liveFrames()).toBe(0)
    })

    it('gives nothing when the signal came first', async () => {
      abort.abort()
      const samples = await start()
      expect(await samples.next()).toMatchObject({ done: true })
      expect(liveFrames()).toBe(0)
    })

    it.each(['the signal', 'return()'])('ends a pending wait at once on %s', async (how) => {
      const samples = await start()
      await giveBack(samples)
      const pending = samples.next()
      const startedAt = performance.now()
      if (how === 'the signal') abort.abort()
      else await samples.return?.()
      const result = await pending
      expect(performance.now() - startedAt).toBeLessThan(promptMs)
      if (!result.done) result.value.frame.release()
      expect(await samples.next()).toMatchObject({ done: true })
      expect(liveFrames()).toBe(0)
    })

    it('can be opened again', async () => {
      const source = await create()
      for (let opening = 0; opening < 2; opening++) {
        const samples = source.samples(abort.signal, ignored)[Symbol.asyncIterator]()
        await giveBack(samples)
        await samples.return?.()
      }
      expect(liveFrames()).toBe(0)
    })
  })
}

async function pull(samples: AsyncIterator<Sample>): Promise<Sample> {
  const result = await samples.next()
  if (result.done) throw new Error('the source ended where a sample was expected')
  return result.value
}

async function giveBack(samples: AsyncIterator<Sample>): Promise<void> {
  const { frame } = await pull(samples)
  frame.release()
}
