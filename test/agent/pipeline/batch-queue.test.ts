import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type BatchQueue, batchQueue } from '../../../agent/pipeline/batch-queue.ts'

const WAIT_MS = 50

let due: number
beforeEach(() => {
  vi.useFakeTimers()
  due = 0
})
afterEach(() => vi.useRealTimers())

function queueOf(limit: number, waitMs: number, jobs: readonly string[]): BatchQueue<string> {
  const queue = batchQueue<string>(waitMs, () => {
    due += 1
  })
  queue.limit = limit
  for (const job of jobs) queue.push(job.slice(0, 1), job)
  return queue
}

it('gives what waits, lanes in turn, no more than the limit at once', () => {
  const queue = queueOf(3, 0, ['a1', 'a2', 'a3', 'b1', 'b2'])
  expect([queue.next(1), queue.next(1), queue.next(1)]).toEqual([
    ['a1', 'b1', 'a2'],
    ['b2', 'a3'],
    [],
  ])
})

it('shares out what waits among those that could take it', () => {
  const queue = queueOf(8, WAIT_MS, ['a1', 'b1', 'c1', 'd1', 'e1', 'f1', 'g1', 'h1'])
  expect(queue.next(3)).toHaveLength(3)
  expect(queue.next(2)).toHaveLength(3)
  expect(queue.next(1)).toHaveLength(2)
})

it('holds back a batch that is not full until its first job has waited', () => {
  const queue = queueOf(3, WAIT_MS, ['a1'])
  vi.advanceTimersByTime(WAIT_MS - 1)
  queue.push('b', 'b1')
  expect(queue.next(1)).toEqual([])
  expect(due).toBe(0)
  vi.advanceTimersByTime(1)
  expect(due).toBe(1)
  expect(queue.next(1)).toEqual(['a1', 'b1'])
})

it('lets the rest of a full batch wait for others, no longer than the first', () => {
  const queue = queueOf(2, WAIT_MS, ['a1', 'b1', 'c1'])
  expect(queue.next(1)).toEqual(['a1', 'b1'])
  expect(queue.next(1)).toEqual([])
  vi.advanceTimersByTime(WAIT_MS)
  expect(queue.next(1)).toEqual(['c1'])
  queue.push('d', 'd1')
  expect(queue.next(1)).toEqual([])
  vi.advanceTimersByTime(WAIT_MS)
  expect(queue.next(1)).toEqual(['d1'])
})

it('holds nothing back where a batch has one job', () => {
  const queue = queueOf(1, WAIT_MS, ['a1'])
  expect(queue.next(1)).toEqual(['a1'])
  expect(vi.getTimerCount()).toBe(0)
})

it('gives first, and one by one, what is to run alone', () => {
  const queue = queueOf(2, 0, ['a1', 'a2'])
  queue.pushAlone(['x', 'y'])
  expect([queue.next(1), queue.next(1), queue.next(1)]).toEqual([['x'], ['y'], ['a1', 'a2']])
})

it('gives everything away at once when drained, and waits for nothing', () => {
  const queue = queueOf(2, WAIT_MS, ['a1'])
  queue.pushAlone(['x'])
  expect(queue.drain()).toEqual(['x', 'a1'])
  expect(queue.next(1)).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})
