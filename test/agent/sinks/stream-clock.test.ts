import { expect, it } from 'vitest'
import { streamClock } from '../../../agent/sinks/stream-clock.ts'

const ticksOf = (fps: number, moments: readonly (readonly [number | undefined, number])[]) => {
  const time = streamClock(fps)
  return moments.map(([pts, capturedAt]) => time({ pts, capturedAt }))
}

it('follows the clock of the source, from 0', () => {
  const moments = [
    [5, 1000],
    [5.04, 1001],
    [5.1, 1002],
  ] as const
  expect(ticksOf(25, moments)).toEqual([0, 3600, 9000])
})

it('follows the time of capture where the source has no clock', () => {
  const moments = [
    [undefined, 1000],
    [undefined, 1050],
    [undefined, 2050],
  ] as const
  expect(ticksOf(25, moments)).toEqual([0, 4500, 94_500])
})

it('goes on by one picture when the clock jumps, back or far ahead', () => {
  const moments = [
    [10, 0],
    [10.04, 40],
    [0, 80],
    [0.04, 120],
    [500, 160],
  ] as const
  expect(ticksOf(25, moments)).toEqual([0, 3600, 7200, 10_800, 14_400])
})
