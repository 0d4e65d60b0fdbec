import { describe, expect, it } from 'vitest'
import { assign } from '../../../agent/tracking/assignment.ts'
import { seeded } from './world.ts'

/** The largest sum that any pairing has, by trying them all. */
function best(weights: Float64Array, rows: number, columns: number, row = 0, used = 0): number {
  if (row === rows) return 0
  let most = best(weights, rows, columns, row + 1, used)
  for (let column = 0; column < columns; column++) {
    if (used & (1 << column)) continue
    const rest = best(weights, rows, columns, row + 1, used | (1 << column))
    most = Math.max(most, (weights[row * columns + column] ?? 0) + rest)
  }
  return most
}

describe('assign', () => {
  it('finds the largest sum that trying every pairing finds', () => {
    const random = seeded(1)
    for (let round = 0; round < 500; round += 1) {
      const rows = 1 + Math.floor(random() * 6)
      const columns = 1 + Math.floor(random() * 6)
      const weights = Float64Array.from({ length: rows * columns }, () =>
        random() < 0.4 ? 0 : random(),
      )
      const found = assign(weights, rows, columns)
      const pairs = found.flatMap((column, row) => (column < 0 ? [] : [{ row, column }]))
      const sum = pairs.reduce(
        (so, { row, column }) => so + (weights[row * columns + column] ?? 0),
        0,
      )
      expect(new Set(pairs.map(({ column }) => column)).size).toBe(pairs.length)
      expect(pairs.every(({ row, column }) => (weights[row * columns + column] ?? 0) > 0)).toBe(
        true,
      )
      expect(sum).toBeCloseTo(best(weights, rows, columns), 9)
    }
  })

  it('prefers two fair pairs to the best one and a bad one, as taking the best first would not', () => {
    expect(assign(Float64Array.of(0.9, 0.8, 0.7, 0), 2, 2)).toEqual([1, 0])
  })

  it('pairs nothing where there is nothing', () => {
    expect(assign(new Float64Array(0), 0, 3)).toEqual([])
    expect(assign(new Float64Array(0), 2, 0)).toEqual([-1, -1])
  })
})
