import { expect, it } from 'vitest'
import { type Moment, mediaClock } from '../../../agent/tracking/media-clock.ts'

it.each<[string, Moment[], number[]]>([
  [
    "goes by the source's clock, not by when a fast reader got the picture",
    [
      { capturedAt: 1000, pts: 5 },
      { capturedAt: 1002, pts: 5.5 },
    ],
    [0, 0.5],
  ],
  [
    'goes by the time of capture without one',
    [{ capturedAt: 1000 }, { capturedAt: 1250 }],
    [0, 0.25],
  ],
  [
    'goes by the time of capture where the clock jumps back',
    [
      { capturedAt: 1000, pts: 90 },
      { capturedAt: 1040, pts: 0 },
      { capturedAt: 1080, pts: 0.04 },
    ],
    [0, 0.04, 0.04],
  ],
  ['stands still when both go back', [{ capturedAt: 1000 }, { capturedAt: 900 }], [0, 0]],
])('a clock %s', (_name, moments, expected) => {
  const clock = mediaClock()
  expect(moments.map((moment) => clock.advance(moment))).toEqual(
    expected.map((seconds) => expect.closeTo(seconds, 9)),
  )
})
