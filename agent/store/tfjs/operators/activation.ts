import { float } from '../attributes.ts'
import { constantOf } from '../constant.ts'
import type { Emit } from '../emit.ts'
import { reshape } from '../folding.ts'
import type { Operator, Operators } from '../operator.ts'
import { wire } from '../value.ts'

/** Activations that are one ONNX node without parameters, under the same name in both worlds. */
const plain = ['Elu', 'Relu', 'Selu', 'Sigmoid', 'Softplus', 'Tanh'] as const

/** Names of the activations that a fused convolution may carry. */
const fused: Readonly<Record<string, (emit: Emit, input: string) => string>> = {
  Elu: (emit, input) => emit.add('Elu', [input]),
  LeakyRelu: (emit, input) =>
    emit.add('LeakyRelu', [input], { alpha: { float: float(emit.node, 'leakyrelu_alpha', 0.2) } }),
  Relu: (emit, input) => emit.add('Relu', [input]),
  Relu6: clampToSix,
  Sigmoid: (emit, input) => emit.add('Sigmoid', [input]),
}

/**
 * Applies the activation `name` of a fused node to `input`; `slopes` is the shape that broadcasts one
 * number per channel over it. @throws AgentError MODEL_LOAD
 */
export function activate(emit: Emit, name: string, input: string, slopes: number[]): string {
  if (name === 'Prelu') return parametric(emit, input, slopes)
  const activation = fused[name]
  if (activation) return activation(emit, input)
  const known = [...Object.keys(fused), 'Prelu'].join(' ')
  throw emit.fault(`no activation '${name}' (known: ${known})`)
}

/** Activations as nodes of their own. */
export const activations: Operators = {
  ...Object.fromEntries(plain.map((op) => [op, computed((emit, [x = '']) => emit.add(op, [x]))])),
  LeakyRelu: computed((emit, [x = '']) =>
    emit.add('LeakyRelu', [x], { alpha: { float: float(emit.node, 'alpha', 0.2) } }),
  ),
  Prelu: computed((emit, inputs) => emit.add('PRelu', inputs)),
  Relu6: computed((emit, [x = '']) => clampToSix(emit, x)),
}

/** An operator of which the one output is computed from the names of all operands. */
export function computed(apply: (emit: Emit, inputs: string[]) => string): Operator {
  return (emit) => wire(apply(emit, emit.operands()))
}

function clampToSix(emit: Emit, input: string): string {
  const bounds = [0, 6].map((bound) => emit.store(constantOf('float32', [bound], [])))
  return emit.add('Clip', [input, ...bounds])
}

function parametric(emit: Emit, input: string, shape: number[]): string {
  const slopes = emit.store(reshape(emit.constant(-1), shape))
  return emit.add('PRelu', [input, slopes])
}
