import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { tally } from '../../../agent/net/tally.ts'
import { inbox, type LogLine, recorder } from '../../broker/harness.ts'

describe('a tally', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('logs together what happened within a second, with one example of each', () => {
    const lines = inbox<LogLine>()
    const counts = tally(recorder(lines), 'trouble')
    for (let count = 0; count < 500; count += 1) counts.count('droppedMessages', `a to ${count}`)
    counts.count('refusedFilters', 'b')
    expect(lines.items).toHaveLength(0)
    vi.advanceTimersByTime(1000)
    expect(lines.items.map(({ fields }) => fields)).toEqual([
      {
        droppedMessages: { count: 500, example: 'a to 499' },
        refusedFilters: { count: 1, example: 'b' },
      },
    ])

    vi.advanceTimersByTime(10_000)
    expect(lines.items).toHaveLength(1)
  })

  it('logs the rest when it is closed', () => {
    const lines = inbox<LogLine>()
    const counts = tally(recorder(lines), 'trouble')
    counts.count('droppedMessages', 'a')
    counts.close()
    counts.close()
    vi.advanceTimersByTime(10_000)
    expect(lines.items).toHaveLength(1)
  })
})
