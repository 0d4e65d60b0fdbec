import { constantOf } from './constant.ts'
import type { Emit } from './emit.ts'

/**
 * Adds what finds the `most` rows of operand 0 [samples, rows, …] with the largest numbers, or all where
 * there are fewer: best first, of equal ones the earlier first. Returns the ONNX name of where they are.
 */
export function bestRows(emit: Emit, most: number): string {
  const vector = (...values: number[]) => emit.store(constantOf('int64', values))
  const rows = emit.add('Reshape', [emit.operand(0), vector(0, 0, -1)])
  const best = emit.add('ReduceMax', [rows], { axes: [2], keepdims: 0 })
  const count = emit.add('Shape', [best], { start: 1, end: 2 })
  const kept = emit.add('Min', [count, vector(most)])
  const order = { axis: 1, largest: 1, sorted: 1 }
  const [, places = ''] = emit.addMany('TopK', [best, kept], order, 2)
  return emit.add('Unsqueeze', [places, vector(2)])
}

/** Adds what takes these rows only, of each sample its own, out of operand 0. Returns its ONNX name. */
export function onlyRows(emit: Emit, rows: string): string {
  return emit.add('GatherND', [emit.operand(0), rows], { batch_dims: 1 })
}
