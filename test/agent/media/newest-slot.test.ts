import { expect, it } from 'vitest'
import { newestSlot } from '../../../agent/media/newest-slot.ts'

const never = new AbortController().signal

it('gives the newest value and tells of those it replaced', async () => {
  const dropped: number[] = []
  const slot = newestSlot<number>((value) => dropped.push(value))
  for (const value of [1, 2, 3]) slot.put(value)
  expect(await slot.take(never)).toBe(3)
  expect(dropped).toEqual([1, 2])
})

it('gives a value to a taker that waits, once', async () => {
  const slot = newestSlot<number>(() => undefined)
  const first = slot.take(never)
  slot.put(1)
  const second = slot.take(never)
  slot.put(2)
  expect([await first, await second]).toEqual([1, 2])
})

it('ends a wait when it is aborted, and keeps what comes later', async () => {
  const dropped: number[] = []
  const slot = newestSlot<number>((value) => dropped.push(value))
  const abort = new AbortController()
  const waiting = slot.take(abort.signal)
  abort.abort()
  expect(await waiting).toBeUndefined()
  slot.put(7)
  expect(await slot.take(never)).toBe(7)
  expect(dropped).toEqual([])
})
