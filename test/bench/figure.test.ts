import { describe, expect, it } from 'vitest'
import { type Figure, holds, median, quantile, tableOf } from '../../bench/figure.ts'
import { cpuMsOf, pssMb } from '../../bench/proc.ts'

const figure = (rounds: number[], limit: Figure['limit']): Figure => ({
  name: 'x',
  unit: 'ms',
  rounds,
  ...(limit ? { limit } : {}),
})

describe('figures', () => {
  it('take the middle of the rounds, whatever their order', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(quantile([10, 20, 30, 40, 50], 0.99)).toBeCloseTo(49.6)
    expect(() => median([])).toThrow('no values')
  })

  it('hold when the median keeps its limit, though a round does not', () => {
    expect(holds(figure([1, 2, 9], { atMost: 2 }))).toBe(true)
    expect(holds(figure([1, 3, 9], { atMost: 2 }))).toBe(false)
    expect(holds(figure([0.9, 0.95, 1], { atLeast: 0.95 }))).toBe(true)
    expect(holds(figure([0.9, 0.94, 1], { atLeast: 0.95 }))).toBe(false)
    expect(holds(figure([9], undefined))).toBe(true)
  })

  it('show median, spread and target', () => {
    const [, , row] = tableOf([figure([1, 2, 123.4], { atMost: 1 })]).split('\n')
    expect(row).toBe('| x | 2.00 ms | 1.00 – 123 | 3 | ≤ 1 ✗ |')
  })
})

describe('what /proc says', () => {
  it('counts the CPU time of this process as Node does', async () => {
    const before = await cpuMsOf([process.pid])
    const { user, system } = process.cpuUsage()
    for (const end = performance.now() + 300; performance.now() < end; ) Math.sqrt(end)
    const own = process.cpuUsage({ user, system })
    const counted = (await cpuMsOf([process.pid])) - before
    expect(Math.abs(counted - (own.user + own.system) / 1000)).toBeLessThan(60)
  })

  it('gives a proportional size that is part of the resident one', async () => {
    const mb = await pssMb(process.pid)
    expect(mb).toBeGreaterThan(5)
    expect(mb).toBeLessThan((process.memoryUsage.rss() * 1.2) / 1e6)
  })
})
