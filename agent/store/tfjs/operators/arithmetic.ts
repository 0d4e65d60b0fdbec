import { dataType } from '../attributes.ts'
import type { ElementType } from '../constant.ts'
import type { Emit } from '../emit.ts'
import { combine } from '../folding.ts'
import { onnxType } from '../onnx-writer.ts'
import type { Operator, Operators } from '../operator.ts'
import { wire } from '../value.ts'
import { computed } from './activation.ts'

type Fold = (a: number, b: number) => number

/** Operations on one tensor, element by element: TensorFlow's name → ONNX's. */
const unary = {
  Abs: 'Abs',
  Ceil: 'Ceil',
  Cos: 'Cos',
  Erf: 'Erf',
  Exp: 'Exp',
  Floor: 'Floor',
  Log: 'Log',
  LogicalNot: 'Not',
  Neg: 'Neg',
  Reciprocal: 'Reciprocal',
  Sign: 'Sign',
  Sin: 'Sin',
  Sqrt: 'Sqrt',
} as const

/** Operations on two tensors, folded where both are known, since shapes are computed with them. */
export const arithmetic: Operators = {
  ...Object.fromEntries(
    Object.entries(unary).map(([name, op]) => [
      name,
      computed((emit, inputs) => emit.add(op, inputs)),
    ]),
  ),
  Add: binary('Add', (a, b) => a + b),
  AddN: computed((emit, [first = '', ...rest]) =>
    rest.reduce((sum, input) => emit.add('Add', [sum, input]), first),
  ),
  AddV2: binary('Add', (a, b) => a + b),
  BiasAdd: binary('Add', (a, b) => a + b),
  Equal: comparison('Equal', (a, b) => Number(a === b)),
  FloorDiv: folded(floorDivide, (a, b) => Math.floor(a / b)),
  FloorMod: folded(floorModulo, (a, b) => a - Math.floor(a / b) * b),
  Greater: comparison('Greater', (a, b) => Number(a > b)),
  GreaterEqual: comparison('GreaterOrEqual', (a, b) => Number(a >= b)),
  Less: comparison('Less', (a, b) => Number(a < b)),
  LessEqual: comparison('LessOrEqual', (a, b) => Number(a <= b)),
  LogicalAnd: comparison('And', (a, b) => a & b),
  LogicalOr: comparison('Or', (a, b) => a | b),
  Maximum: binary('Max', Math.max),
  Minimum: binary('Min', Math.min),
  Mul: binary('Mul', (a, b) => a * b),
  Pow: binary('Pow', (a, b) => a ** b),
  RealDiv: binary('Div', (a, b) => a / b),
  Rsqrt: computed((emit, inputs) => emit.add('Reciprocal', [emit.add('Sqrt', inputs)])),
  Select: computed((emit, inputs) => emit.add('Where', inputs)),
  SelectV2: computed((emit, inputs) => emit.add('Where', inputs)),
  Square: computed((emit, [x = '']) => emit.add('Mul', [x, x])),
  SquaredDifference: computed((emit, inputs) => {
    const difference = emit.add('Sub', inputs)
    return emit.add('Mul', [difference, difference])
  }),
  Sub: binary('Sub', (a, b) => a - b),
}

function binary(op: string, fold: Fold): Operator {
  return folded((emit, inputs) => emit.add(op, inputs), fold)
}

function comparison(op: string, fold: Fold): Operator {
  return folded((emit, inputs) => emit.add(op, inputs), fold, 'bool')
}

function folded(
  apply: (emit: Emit, inputs: string[]) => string,
  fold: Fold,
  result?: ElementType,
): Operator {
  return (emit) => {
    const left = emit.known(0)
    const right = emit.known(1)
    return left && right
      ? combine(left, right, result ?? left.dtype, fold)
      : wire(apply(emit, emit.operands()))
  }
}

const isFloat = (emit: Emit): boolean => dataType(emit.node, 'T') === 1

/** ONNX's integer division cuts towards zero; float64 holds every int32 quotient exactly enough. */
function floorDivide(emit: Emit, inputs: string[]): string {
  if (isFloat(emit)) return emit.add('Floor', [emit.add('Div', inputs)])
  const wide = inputs.map((input) => emit.add('Cast', [input], { to: onnxType.float64 }))
  const quotient = emit.add('Floor', [emit.add('Div', wide)])
  return emit.add('Cast', [quotient], { to: onnxType.int32 })
}

/** ONNX's Mod follows the divisor's sign, as TensorFlow's does, for integers only. */
function floorModulo(emit: Emit, inputs: string[]): string {
  if (!isFloat(emit)) return emit.add('Mod', inputs)
  const [dividend = '', divisor = ''] = inputs
  const quotient = emit.add('Floor', [emit.add('Div', inputs)])
  return emit.add('Sub', [dividend, emit.add('Mul', [quotient, divisor])])
}
