import { expect, it } from 'vitest'
import { mistakes } from '../../../agent/access/mistakes.ts'

function times(count: number, act: () => number): number[] {
  return Array.from({ length: count }, act)
}

it('answers ten mistakes of an address a minute, and says when the next', () => {
  const wrong = mistakes()
  expect(times(10, () => wrong.add('10.0.0.1', 1000))).toEqual(Array(10).fill(0))
  expect(wrong.add('10.0.0.1', 31_000)).toBe(30)
  expect(wrong.add('10.0.0.2', 31_000)).toBe(0)
  expect(wrong.add('10.0.0.1', 61_000)).toBe(0)
})

it('takes the addresses of one IPv6 network as one', () => {
  const wrong = mistakes()
  times(10, () => wrong.add('2001:db8:1:2::1', 0))
  expect(wrong.add('2001:db8:1:2:ffff::9', 0)).toBeGreaterThan(0)
  expect(wrong.add('2001:db8:1:3::1', 0)).toBe(0)
  expect(wrong.add('2001:db8::1', 0)).toBe(0)
})

it('takes an IPv4 address for what it is, however it is written', () => {
  const wrong = mistakes()
  times(10, () => wrong.add('::ffff:10.0.0.1', 0))
  expect(wrong.add('10.0.0.1', 0)).toBeGreaterThan(0)
  expect(wrong.add('::ffff:10.0.0.2', 0)).toBe(0)
})

it('forgets the oldest of many addresses, not the one that goes on', () => {
  const wrong = mistakes()
  times(10, () => wrong.add('10.0.0.1', 0))
  for (let other = 0; other < 4990; other += 1) wrong.add(`10.1.${other >> 8}.${other & 255}`, 0)
  expect(wrong.add('10.0.0.1', 0)).toBeGreaterThan(0)
  for (let other = 0; other < 5000; other += 1) wrong.add(`10.2.${other >> 8}.${other & 255}`, 0)
  expect(wrong.add('10.0.0.1', 0)).toBe(0)
})
