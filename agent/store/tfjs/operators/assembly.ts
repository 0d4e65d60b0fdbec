import { integer } from '../attributes.ts'
import { type Constant, constantOf, numbersOf, sizeOf } from '../constant.ts'
import type { Emit } from '../emit.ts'
import type { Operators } from '../operator.ts'
import { type Value, wire } from '../value.ts'

/** Operations that join tensors or take them apart. */
export const assembly: Operators = {
  ConcatV2: concatenate,
  Pack: pack,
  SparseToDense: sparseToDense,
  Split: (emit) => split(emit, 1, emit.number(0), integer(emit.node, 'num_split')),
  SplitV: (emit) => {
    const sizes = emit.numbers(1)
    const axis = emit.number(2)
    const list = emit.store(constantOf('int64', sizes))
    return emit.addMany('Split', [emit.operand(0), list], { axis }, sizes.length).map(wire)
  },
  Unpack: unpack,
}

/** Operands: the tensors, then the axis. */
function concatenate(emit: Emit): Value {
  const axis = emit.number(-1)
  const parts = emit.count - 1
  const known = knownVectors(emit, parts)
  if (known) return joined(known)
  return wire(emit.add('Concat', emit.operands(0, parts), { axis }))
}

function knownVectors(emit: Emit, count: number): Constant[] | undefined {
  const known = Array.from({ length: count }, (_, index) => emit.known(index))
  const vectors = known.filter((one) => one !== undefined && one.shape.length === 1)
  return vectors.length === count ? (vectors as Constant[]) : undefined
}

function joined(parts: readonly Constant[]): Constant {
  return constantOf(parts[0]?.dtype ?? 'int32', parts.flatMap(numbersOf))
}

function pack(emit: Emit): Value {
  const axis = integer(emit.node, 'axis')
  const known = Array.from({ length: emit.count }, (_, index) => emit.known(index))
  const scalars = known.filter((one) => one !== undefined && one.shape.length === 0)
  if (scalars.length === known.length) return joined(scalars as Constant[])
  const at = emit.store(constantOf('int64', [axis]))
  const parts = emit.operands().map((input) => emit.add('Unsqueeze', [input, at]))
  return wire(emit.add('Concat', parts, { axis }))
}

function unpack(emit: Emit): Value[] {
  const axis = integer(emit.node, 'axis')
  const parts = split(emit, 0, axis, integer(emit.node, 'num'))
  const at = emit.store(constantOf('int64', [axis]))
  return parts.map((part) => wire(emit.add('Squeeze', [part.wire, at])))
}

function split(emit: Emit, index: number, axis: number, count: number) {
  return emit.addMany('Split', [emit.operand(index)], { axis }, count).map(wire)
}

/** Operands: indices (one per value, or one row of coordinates), shape, values, default. Known ones only. */
function sparseToDense(emit: Emit): Value {
  const shape = emit.numbers(1)
  const values = emit.numbers(2)
  const absent = emit.count > 3 ? emit.number(3) : 0
  const dense = new Array<number>(sizeOf(shape)).fill(absent)
  const indices = emit.numbers(0)
  for (let row = 0; row * shape.length < indices.length; row++) {
    const coordinates = indices.slice(row * shape.length, (row + 1) * shape.length)
    const offset = coordinates.reduce((sum, at, axis) => sum * (shape[axis] ?? 1) + at, 0)
    dense[offset] = values[values.length === 1 ? 0 : row] ?? absent
  }
  return constantOf(emit.constant(2).dtype, dense, shape)
}
