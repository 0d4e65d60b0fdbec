import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Openings, openings } from '../../../agent/service/opening.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const never = new Promise<void>(() => {})
const done = Promise.resolve()

/** Takes a turn for each input, and keeps when they were opened, ms. */
function openedAt(
  order: Openings,
  count: number,
  input: { opened: typeof done; proven: typeof done },
) {
  const times: number[] = []
  const begun = Date.now()
  for (let at = 0; at < count; at += 1) {
    void order.take(async () => {
      times.push(Date.now() - begun)
      return input
    })
  }
  return times
}

it('opens the next input when one is open', async () => {
  const times = openedAt(openings(false), 3, { opened: done, proven: never })
  await vi.advanceTimersByTimeAsync(0)
  expect(times).toEqual([0, 0, 0])
})

it('opens the next input half a second after one that does not open', async () => {
  const times = openedAt(openings(false), 3, { opened: never, proven: never })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(times).toEqual([0, 500, 1000])
})

it('after a crash opens the next input when one has proven itself, however many there are', async () => {
  const times = openedAt(openings(true), 50, { opened: done, proven: done })
  await vi.advanceTimersByTimeAsync(0)
  expect(times).toHaveLength(50)
})

it('after a crash lets inputs that give nothing hold up the others for 30 s in all', async () => {
  const times = openedAt(openings(true), 6, { opened: done, proven: never })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(times).toEqual([0, 10_000, 20_000, 30_000, 30_000, 30_000])
})

it('lets whoever waits for the opening of an input go on before the input has proven itself', async () => {
  await openings(true).take(async () => ({ opened: done, proven: never }))
})

it('tells of an opening that fails, and goes on with the next', async () => {
  const order = openings(true)
  const failing = order.take(() => Promise.reject(new Error('it does not open')))
  const times = openedAt(order, 1, { opened: done, proven: done })
  await expect(failing).rejects.toThrow('it does not open')
  await vi.advanceTimersByTimeAsync(0)
  expect(times).toEqual([0])
})

it('admits requests at once, but after a crash within 10 s, or when nobody wants them any more', async () => {
  const admitted: string[] = []
  const abort = new AbortController()
  const ask = (name: string, order: Openings, signal = new AbortController().signal) => {
    openedAt(order, 1, { opened: done, proven: never })
    void order.admitted(signal).then(() => admitted.push(name))
  }
  ask('usual', openings(false))
  ask('careful', openings(true))
  ask('cancelled', openings(true), abort.signal)
  await vi.advanceTimersByTimeAsync(9_999)
  expect(admitted).toEqual(['usual'])
  abort.abort()
  await vi.advanceTimersByTimeAsync(0)
  expect(admitted).toEqual(['usual', 'cancelled'])
  await vi.advanceTimersByTimeAsync(1)
  expect(admitted).toEqual(['usual', 'cancelled', 'careful'])
})
