import { type Constant, constantOf, type ElementType, numbersOf, sizeOf } from './constant.ts'

/** Row-major distance between neighbours along each axis. */
function strides(shape: readonly number[]): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
}

/** A constant with its axes in another order: axis k of the result is axis `order[k]` of the source. */
export function permute(constant: Constant, order: readonly number[]): Constant {
  const from = strides(constant.shape)
  const shape = order.map((axis) => constant.shape[axis] ?? 1)
  const steps = order.map((axis) => from[axis] ?? 1)
  const data = constant.data.slice()
  const position = shape.map(() => 0)
  let source = 0
  for (let target = 0; target < data.length; target++) {
    data[target] = constant.data[source] ?? 0
    source = advance(position, shape, steps, source)
  }
  return { dtype: constant.dtype, shape, data }
}

/** Moves `position` to the next element in row-major order; returns its offset in the source. */
function advance(
  position: number[],
  shape: readonly number[],
  steps: readonly number[],
  offset: number,
) {
  let next = offset
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const step = steps[axis] ?? 0
    const at = (position[axis] ?? 0) + 1
    position[axis] = at
    next += step
    if (at < (shape[axis] ?? 1)) return next
    next -= at * step
    position[axis] = 0
  }
  return next
}

/** The same elements under another shape, of which one side may be -1. */
export function reshape(constant: Constant, shape: readonly number[]): Constant {
  const known = sizeOf(shape.filter((side) => side !== -1))
  const rest = known === 0 ? 0 : sizeOf(constant.shape) / known
  return { ...constant, shape: shape.map((side) => (side === -1 ? rest : side)) }
}

/** `operation` on each pair of elements, broadcast as NumPy does. */
export function combine(
  left: Constant,
  right: Constant,
  dtype: ElementType,
  operation: (a: number, b: number) => number,
): Constant {
  const shape = broadcastShape(left.shape, right.shape)
  const a = numbersOf(left)
  const b = numbersOf(right)
  const offsets = [broadcastOffsets(left.shape, shape), broadcastOffsets(right.shape, shape)]
  const values = Array.from({ length: sizeOf(shape) }, (_, index) =>
    operation(a[offsets[0]?.[index] ?? 0] ?? 0, b[offsets[1]?.[index] ?? 0] ?? 0),
  )
  return constantOf(dtype, values, shape)
}

function broadcastShape(left: readonly number[], right: readonly number[]): number[] {
  const rank = Math.max(left.length, right.length)
  return Array.from({ length: rank }, (_, axis) => {
    const a = left[axis - rank + left.length] ?? 1
    const b = right[axis - rank + right.length] ?? 1
    return a === 1 ? b : a
  })
}

/** For each element of the broadcast tensor, its offset in the tensor of `shape`. */
function broadcastOffsets(shape: readonly number[], target: readonly number[]): number[] {
  const own = strides(shape)
  const lead = target.length - shape.length
  const steps = target.map((_, axis) => (shape[axis - lead] === 1 ? 0 : (own[axis - lead] ?? 0)))
  const position = target.map(() => 0)
  let offset = 0
  return Array.from({ length: sizeOf(target) }, () => {
    const here = offset
    offset = advance(position, target, steps, offset)
    return here
  })
}
