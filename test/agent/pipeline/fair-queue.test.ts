import { describe, expect, it } from 'vitest'
import { fairQueue, PRIORITY_LANE } from '../../../agent/pipeline/fair-queue.ts'

function drainInOrder(pushes: readonly (readonly [string, string])[]): (string | undefined)[] {
  const queue = fairQueue<string>()
  for (const [lane, job] of pushes) queue.push(lane, job)
  return Array.from({ length: pushes.length }, () => queue.next())
}

describe('fairQueue', () => {
  it('lets lanes take turns, however many jobs one of them has', () => {
    const order = drainInOrder([
      ['a', 'a1'],
      ['a', 'a2'],
      ['a', 'a3'],
      ['b', 'b1'],
      ['c', 'c1'],
      ['b', 'b2'],
    ])
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
  })

  it('lets the priority lane go first', () => {
    const order = drainInOrder([
      ['a', 'a1'],
      [PRIORITY_LANE, 'now'],
      ['b', 'b1'],
      [PRIORITY_LANE, 'then'],
    ])
    expect(order).toEqual(['now', 'then', 'a1', 'b1'])
  })

  it('gives everything away at once when drained', () => {
    const queue = fairQueue<string>()
    queue.push('a', 'a1')
    queue.push('b', 'b1')
    expect(queue.drain().sort()).toEqual(['a1', 'b1'])
    expect(queue.size).toBe(0)
    expect(queue.next()).toBeUndefined()
  })
})
