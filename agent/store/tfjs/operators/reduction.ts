import { flag } from '../attributes.ts'
import { constantOf } from '../constant.ts'
import type { Emit } from '../emit.ts'
import { onnxType } from '../onnx-writer.ts'
import type { Operator, Operators } from '../operator.ts'
import { type Value, wire } from '../value.ts'

/** Operations that sum tensors up along axes, or rank their elements. */
export const reductions: Operators = {
  ArgMax: (emit) => extreme(emit, 'ArgMax'),
  ArgMin: (emit) => extreme(emit, 'ArgMin'),
  Max: reduction('ReduceMax'),
  Mean: reduction('ReduceMean'),
  Min: reduction('ReduceMin'),
  Prod: reduction('ReduceProd'),
  Softmax: (emit) => wire(emit.add('Softmax', [emit.operand(0)], { axis: -1 })),
  Sum: (emit) => {
    const axes = emit.store(constantOf('int64', emit.numbers(1)))
    return wire(emit.add('ReduceSum', [emit.operand(0), axes], { keepdims: keepDims(emit) }))
  },
  TopKV2: largest,
}

const keepDims = (emit: Emit): number => Number(flag(emit.node, 'keep_dims'))

function reduction(op: string): Operator {
  return (emit) => {
    const attributes = { axes: emit.numbers(1), keepdims: keepDims(emit) }
    return wire(emit.add(op, [emit.operand(0)], attributes))
  }
}

function extreme(emit: Emit, op: 'ArgMax' | 'ArgMin'): Value {
  const index = emit.add(op, [emit.operand(0)], { axis: emit.number(1), keepdims: 0 })
  return wire(emit.add('Cast', [index], { to: onnxType.int32 }))
}

/** Outputs: the k largest along the last axis, and where they were. */
function largest(emit: Emit): Value[] {
  const count = emit.store(constantOf('int64', [emit.number(1)]))
  const attributes = { axis: -1, largest: 1, sorted: 1 }
  const [values = '', indices = ''] = emit.addMany('TopK', [emit.operand(0), count], attributes, 2)
  return [wire(values), wire(emit.add('Cast', [indices], { to: onnxType.int32 }))]
}
