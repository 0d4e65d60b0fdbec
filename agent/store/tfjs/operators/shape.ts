import { dataType, integers } from '../attributes.ts'
import { type Constant, constantOf, type ElementType, numbersOf, sizeOf } from '../constant.ts'
import type { Emit } from '../emit.ts'
import { permute, reshape } from '../folding.ts'
import { onnxType } from '../onnx-writer.ts'
import type { Operators } from '../operator.ts'
import { type Value, wire } from '../value.ts'

/** Operations that move elements or compute shapes; folded where the graph computes shapes with them. */
export const shapes: Operators = {
  Cast: cast,
  ExpandDims: expandDims,
  Fill: fill,
  Identity: (emit) => emit.value(0),
  Range: range,
  Reshape: (emit) => {
    const known = emit.known(0)
    const shape = emit.known(1)
    if (known && shape) return reshape(known, numbersOf(shape))
    return wire(emit.add('Reshape', [emit.operand(0), emit.sizes(1)]))
  },
  Shape: (emit) => asInt32(emit, emit.add('Shape', [emit.operand(0)])),
  Size: (emit) => asInt32(emit, emit.add('Size', [emit.operand(0)])),
  Squeeze: squeeze,
  Tile: (emit) => wire(emit.add('Tile', [emit.operand(0), emit.sizes(1)])),
  Transpose: (emit) => {
    const known = emit.known(0)
    const perm = emit.numbers(1)
    return known ? permute(known, perm) : wire(emit.add('Transpose', [emit.operand(0)], { perm }))
  },
}

function asInt32(emit: Emit, name: string): Value {
  return wire(emit.add('Cast', [name], { to: onnxType.int32 }))
}

/** TensorFlow's DataType numbers; TensorFlow.js computes every integer as int32. */
const castTargets: Readonly<Record<number, Exclude<ElementType, 'int64'>>> = {
  1: 'float32',
  3: 'int32',
  4: 'int32',
  9: 'int32',
  10: 'bool',
}

function cast(emit: Emit): Value {
  const number = dataType(emit.node, 'DstT') ?? 1
  const target = castTargets[number]
  if (!target) throw emit.fault(`no element type ${number} (known: float int32 uint8 int64 bool)`)
  const known = emit.known(0)
  if (known) return castConstant(known, target)
  return wire(emit.add('Cast', [emit.operand(0)], { to: onnxType[target] }))
}

function castConstant(constant: Constant, target: ElementType): Constant {
  const numbers = numbersOf(constant)
  return constantOf(target, target === 'int32' ? numbers.map(Math.trunc) : numbers, constant.shape)
}

function expandDims(emit: Emit): Value {
  const axis = emit.number(1)
  const known = emit.known(0)
  if (!known) {
    return wire(emit.add('Unsqueeze', [emit.operand(0), emit.store(constantOf('int64', [axis]))]))
  }
  const shape = [...known.shape]
  shape.splice(axis < 0 ? axis + shape.length + 1 : axis, 0, 1)
  return reshape(known, shape)
}

function squeeze(emit: Emit): Value {
  const axes = integers(emit.node, 'squeeze_dims')
  const known = emit.known(0)
  if (!known) {
    const list = axes.length ? [emit.store(constantOf('int64', axes))] : []
    return wire(emit.add('Squeeze', [emit.operand(0), ...list]))
  }
  const dropped = axes.map((axis) => (axis < 0 ? axis + known.shape.length : axis))
  const isKept = (side: number, axis: number) =>
    dropped.length ? !dropped.includes(axis) : side !== 1
  return reshape(known, known.shape.filter(isKept))
}

function fill(emit: Emit): Value {
  const dims = emit.known(0)
  const value = emit.known(1)
  if (!dims || !value) return wire(emit.add('Expand', [emit.operand(1), emit.sizes(0)]))
  const shape = numbersOf(dims)
  const numbers = new Array<number>(sizeOf(shape)).fill(numbersOf(value)[0] ?? 0)
  return constantOf(value.dtype, numbers, shape)
}

/** Operands: start, limit (excluded), step. */
function range(emit: Emit): Value {
  const [start, limit, step] = [emit.known(0), emit.known(1), emit.known(2)]
  if (!start || !limit || !step) return wire(emit.add('Range', emit.operands()))
  const [first = 0, end = 0, by = 1] = [start, limit, step].map((one) => numbersOf(one)[0] ?? 0)
  const length = Math.max(0, Math.ceil((end - first) / by))
  return constantOf(
    start.dtype,
    Array.from({ length }, (_, index) => first + index * by),
  )
}
