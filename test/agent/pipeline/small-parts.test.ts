import { describe, expect, it } from 'vitest'
import { backoffMs } from '../../../agent/pipeline/backoff.ts'
import { ledger, quantiles } from '../../../agent/pipeline/ledger.ts'
import { slots } from '../../../agent/pipeline/slots.ts'
import { tensorPool } from '../../../agent/pipeline/tensor-pool.ts'

describe('backoffMs', () => {
  it('doubles up to its limit, and never waits less than half of that', () => {
    const shortest = [0, 1, 2, 3, 20].map((attempt) => backoffMs(attempt, 0))
    expect(shortest).toEqual([250, 500, 1000, 2000, 15_000])
    expect(backoffMs(20, 0.999)).toBeLessThanOrEqual(30_000)
  })
})

describe('quantiles', () => {
  it('takes the nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
    expect(quantiles(hundred)).toEqual({ p50: 50, p95: 95, p99: 99 })
    expect(quantiles([7])).toEqual({ p50: 7, p95: 7, p99: 7 })
  })
})

describe('ledger', () => {
  it('counts per interval, and per run', () => {
    const book = ledger()
    const ms = { decode: 1, queue: 2, preprocess: 3, infer: 4, postprocess: 5 }
    book.read()
    book.inferred(ms)
    book.failed()
    expect(book.take(2)).toMatchObject({ in: 1, inferred: 1, failed: 1, alive: 2, total: 1 })
    expect(book.take(0)).toMatchObject({ in: 0, inferred: 0, failed: 0, total: 1, ms: {} })
    expect(book.failures).toBe(1)
  })
})

describe('slots', () => {
  it('makes the taker wait until a place is free', async () => {
    const places = slots(1)
    await places.take()
    let through = false
    const second = places.take().then(() => {
      through = true
    })
    await Promise.resolve()
    expect(through).toBe(false)
    places.give(false)
    await second
    expect(through).toBe(true)
  })

  it('counts the places that hold a sample', async () => {
    const places = slots(2)
    await places.take()
    expect(places.alive).toBe(0)
    places.fill()
    expect(places.alive).toBe(1)
    places.give(true)
    await places.idle()
    expect(places.alive).toBe(0)
  })
})

describe('tensorPool', () => {
  it('lends a buffer of the same size again, once it came back', () => {
    const pool = tensorPool()
    const first = pool.lend(64)
    pool.giveBack({ x: { dtype: 'uint8', dims: [64], data: new Uint8Array(first) } })
    expect(pool.lend(64)).toBe(first)
    expect(pool.lend(64)).not.toBe(first)
    expect(pool.lend(128).byteLength).toBe(128)
  })
})
