import { describe, expect, it } from 'vitest'
import { operators } from '../../../../agent/store/tfjs/operators.ts'
import { type Case, operatorCases } from './operator-cases.ts'
import { byOnnxRuntime, byTensorFlow, fixed, type SmallGraph } from './small-graph.ts'

/** How far apart two results are, relative to their size from 1 on. */
function distance(expected: readonly number[], actual: readonly number[] = []): number {
  const distances = expected.map((value, index) => {
    const difference = Math.abs(value - (actual[index] ?? Number.NaN))
    return difference / Math.max(1, Math.abs(value))
  })
  return Math.max(...distances)
}

async function expectSameResult(graph: SmallGraph): Promise<void> {
  const expected = await byTensorFlow(graph)
  const actual = await byOnnxRuntime(graph)
  expect(actual.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape))
  for (const [index, { values }] of expected.entries()) {
    expect(values.length).toBeGreaterThan(0)
    expect(distance(values, actual[index]?.values)).toBeLessThan(1e-4)
  }
}

function graphOf([op, , operands, attributes = {}, outputs = 1]: Case): SmallGraph {
  return { op, operands, attributes, outputs }
}

describe('a converted operator', () => {
  it.each(operatorCases)('computes %s (%s) as TensorFlow.js does', async (...row) => {
    await expectSameResult(graphOf(row))
  })

  it.each(operatorCases)('computes %s (%s) of weights alone', async (...row) => {
    const graph = graphOf(row)
    await expectSameResult({ ...graph, operands: graph.operands.map(fixed) })
  })

  it('is tested for every operation of the table', () => {
    const tested = new Set(operatorCases.map(([op]) => op))
    expect(Object.keys(operators).filter((op) => !tested.has(op))).toEqual([])
    expect(tested.size).toBeGreaterThan(70)
  })
})
