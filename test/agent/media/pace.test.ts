import { describe, expect, it } from 'vitest'
import { type Clock, realtimePace, sampler } from '../../../agent/media/pace.ts'
import { wait } from '../../../agent/media/wait.ts'

/** A clock that stands still but for waits and what a test adds. */
function standingClock(): Clock & { time: number } {
  const clock = {
    time: 5000,
    now: () => clock.time,
    wait: async (ms: number) => {
      clock.time += Math.max(ms, 0)
    },
  }
  return clock
}

const never = new AbortController().signal

describe('real pace', () => {
  it('gives each sample when it is due, counted from the first', async () => {
    const clock = standingClock()
    const pace = realtimePace(clock)
    const due: number[] = []
    for (const pts of [10, 10.04, 10.08, 11]) {
      await pace.until(pts, never)
      due.push(clock.time)
    }
    expect(due).toEqual([5000, 5040, 5080, 6000].map((ms) => expect.closeTo(ms, 6)))
  })

  it('catches up with a taker that was a little late', async () => {
    const clock = standingClock()
    const pace = realtimePace(clock)
    await pace.until(0, never)
    clock.time += 900
    await pace.until(0.5, never)
    expect(clock.time).toBe(5900)
    await pace.until(1, never)
    expect(clock.time).toBe(6000)
  })

  it('goes on from where it is after a taker that was late by more than a second', async () => {
    const clock = standingClock()
    const pace = realtimePace(clock)
    await pace.until(0, never)
    clock.time += 5000
    await pace.until(1, never)
    expect(clock.time).toBe(10_000)
    await pace.until(1.5, never)
    expect(clock.time).toBeCloseTo(10_500, 6)
  })

  it('does not wait for a jump of the recording, back or forth', async () => {
    const clock = standingClock()
    const pace = realtimePace(clock)
    for (const pts of [100, 0, 95_000]) await pace.until(pts, never)
    expect(clock.time).toBe(5000)
  })

  it('ends a wait at once when it is aborted', async () => {
    const abort = new AbortController()
    const pace = realtimePace()
    await pace.until(0, abort.signal)
    const startedAt = performance.now()
    const waiting = pace.until(30, abort.signal)
    abort.abort()
    await waiting
    expect(performance.now() - startedAt).toBeLessThan(200)
  })

  it('ends every wait for one signal, and leaves those for others alone', async () => {
    const [abort, other] = [new AbortController(), new AbortController()]
    const startedAt = performance.now()
    const [first, second] = [wait(10_000, abort.signal), wait(10_000, abort.signal)]
    const short = wait(20, other.signal)
    abort.abort()
    await Promise.all([first, second])
    await wait(10_000, abort.signal)
    await short
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(19)
    expect(performance.now() - startedAt).toBeLessThan(2000)
  })
})

describe('sampling', () => {
  const times = Array.from({ length: 60 }, (_, index) => 7 + index / 30)

  it('takes the samples whose time reaches the next one due', () => {
    const wanted = times.filter(sampler(5))
    expect(wanted.map((time) => Math.round((time - 7) * 1000))).toEqual(
      Array.from({ length: 10 }, (_, index) => index * 200),
    )
  })

  it('takes every sample of a source that is slower, and without a rate', () => {
    expect(times.filter(sampler(100))).toEqual(times)
    expect(times.filter(sampler(undefined))).toEqual(times)
  })

  it('keeps its rate where the rates do not divide', () => {
    expect(times.filter(sampler(7))).toHaveLength(14)
  })

  it('goes on when the clock of the source goes back', () => {
    const wanted = sampler(10)
    expect([50, 50.05, 50.1, 3, 3.05, 3.1].map(wanted)).toEqual([
      true,
      false,
      true,
      true,
      false,
      true,
    ])
  })
})
