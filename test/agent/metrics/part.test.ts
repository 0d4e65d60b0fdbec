import { expect, it, vi } from 'vitest'
import { part } from '../../../agent/metrics/part.ts'

it('says why where reading fails', async () => {
  const read = part({ name: 'disk' }, () => Promise.reject(new Error('no such folder')))
  expect(await read()).toEqual({ unavailable: 'disk: no such folder' })
})

it('gives up on a reading that hangs, and does not start another beside it', async () => {
  let resolve: (answer: { load: number }) => void = () => undefined
  const promise = new Promise<{ load: number }>((settle) => {
    resolve = settle
  })
  const hanging = vi.fn(() => promise)
  const read = part({ name: 'cpu', limitMs: 20 }, hanging)
  const late = { unavailable: 'cpu: no answer within 20 ms' }
  expect(await read()).toEqual(late)
  expect(await read()).toEqual(late)
  expect(hanging).toHaveBeenCalledTimes(1)
  resolve({ load: 0.5 })
  expect(await read()).toEqual({ load: 0.5 })
})

it('keeps an answer for as long as it is told to', async () => {
  let readings = 0
  const count = () => Promise.resolve({ readings: ++readings })
  const kept = part({ name: 'gpu', keepMs: () => 60_000 }, count)
  expect([await kept(), await kept()]).toEqual([{ readings: 1 }, { readings: 1 }])
  const fresh = part({ name: 'gpu' }, count)
  expect([await fresh(), await fresh()]).toEqual([{ readings: 2 }, { readings: 3 }])
})
