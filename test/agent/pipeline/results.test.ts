import { firstValueFrom, lastValueFrom, Subject, take, takeUntil, tap, toArray } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { type Inferrer, type Loaded, results } from '../../../agent/pipeline/results.ts'
import { slots } from '../../../agent/pipeline/slots.ts'
import { finite, type Meter } from './samples.ts'

const loaded: Loaded = {
  id: 'echo',
  model: {
    kind: 'detections',
    preprocess: () => Promise.reject(new Error('the inferrer does it')),
    postprocess: () => [],
  },
}

/** Answers with the sample's own number as the class id. */
function echo(overrides: Partial<Inferrer> = {}): Inferrer {
  return {
    current: async () => loaded,
    preprocess: async (_by, sample) => ({ inputs: {}, meta: sample.pts }),
    run: async (_by, { meta }) => ({
      stale: false,
      items: [{ label: 'number', classId: Number(meta), score: 1, box: [0, 0, 1, 1] }],
      inferMs: 1,
      postprocessMs: 0,
    }),
    ...overrides,
  }
}

const numberOf = ({ items }: { items: readonly { classId: number }[] }) => items[0]?.classId

describe('results', () => {
  it('gives every sample of a finite source once, in order, and leaves no frame alive', async () => {
    const meter: Meter = { alive: 0, most: 0 }
    const seen = await lastValueFrom(
      results(finite(meter, 50), slots(3), echo(), () => {}).pipe(
        tap((inferred) => inferred.release()),
        toArray(),
      ),
    )
    expect(seen.map(numberOf)).toEqual(Array.from({ length: 50 }, (_, index) => index))
    expect(meter.alive).toBe(0)
  })

  it('keeps the order though inferences finish out of order', async () => {
    const meter: Meter = { alive: 0, most: 0 }
    const slow = echo({
      async run(by, prepared) {
        if (Number(prepared.meta) % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
        return echo().run(by, prepared)
      },
    })
    const seen = await lastValueFrom(
      results(finite(meter, 20), slots(3), slow, () => {}).pipe(
        tap((inferred) => inferred.release()),
        toArray(),
      ),
    )
    expect(seen.map(numberOf)).toEqual(Array.from({ length: 20 }, (_, index) => index))
  })

  it('never holds more samples than there are slots, and does not read ahead of them', async () => {
    const meter: Meter = { alive: 0, most: 0 }
    let pulledUpTo = -1
    const places = slots(3)
    const source = finite(meter, 100, (index) => {
      pulledUpTo = index
    })
    const held = await firstValueFrom(results(source, places, echo(), () => {}))
    await new Promise((resolve) => setImmediate(resolve))
    expect(pulledUpTo).toBeLessThan(3)
    expect(meter.most).toBeLessThanOrEqual(3)
    held.release()
  })

  it('goes on after a sample that cannot be inferred, and releases it', async () => {
    const meter: Meter = { alive: 0, most: 0 }
    const failures: unknown[] = []
    const picky = echo({
      async run(by, prepared) {
        if (prepared.meta === 2) throw new Error('not this one')
        return echo().run(by, prepared)
      },
    })
    const seen = await lastValueFrom(
      results(finite(meter, 5), slots(2), picky, (error) => failures.push(error)).pipe(
        tap((inferred) => inferred.release()),
        toArray(),
      ),
    )
    expect(seen.map(numberOf)).toEqual([0, 1, 3, 4])
    expect(failures).toHaveLength(1)
    expect(meter.alive).toBe(0)
  })

  it('prepares a sample anew when the model was changed before its turn', async () => {
    const meter: Meter = { alive: 0, most: 0 }
    let preparations = 0
    let stale = true
    const swapped = echo({
      async preprocess(by, sample) {
        preparations += 1
        return echo().preprocess(by, sample)
      },
      async run(by, prepared) {
        if (stale) {
          stale = false
          return { stale: true }
        }
        return echo().run(by, prepared)
      },
    })
    const seen = await lastValueFrom(
      results(finite(meter, 3), slots(1), swapped, () => {}).pipe(
        tap((inferred) => inferred.release()),
        toArray(),
      ),
    )
    expect(seen.map(numberOf)).toEqual([0, 1, 2])
    expect(preparations).toBe(4)
  })

  it('releases what is under way when nobody listens any more', async () => {
    const meter: Meter = { alive: 0, most: 0 }
    const places = slots(3)
    const stop = new Subject<void>()
    let letGo = (): void => {}
    const gate = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const stuck = echo({
      async run(by, prepared) {
        await gate
        return echo().run(by, prepared)
      },
    })
    const over = lastValueFrom(
      results(finite(meter, 10), places, stuck, () => {}).pipe(takeUntil(stop), toArray()),
    )
    while (meter.alive < 3) await new Promise((resolve) => setImmediate(resolve))
    stop.next()
    letGo()
    expect(await over).toEqual([])
    await places.idle()
    expect(meter.alive).toBe(0)
  })

  it('ends the iteration of its source when it is unsubscribed', async () => {
    const meter: Meter = { alive: 0, most: 0 }
    let returned = (): void => {}
    const ended = new Promise<void>((resolve) => {
      returned = resolve
    })
    async function* watched() {
      try {
        yield* finite(meter, 1000)
      } finally {
        returned()
      }
    }
    const first = results(watched(), slots(3), echo(), () => {}).pipe(
      tap((inferred) => inferred.release()),
      take(2),
    )
    await lastValueFrom(first)
    await ended
  })
})
