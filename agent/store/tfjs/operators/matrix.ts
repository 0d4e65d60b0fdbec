import { flag, texts } from '../attributes.ts'
import type { Emit } from '../emit.ts'
import type { Operators } from '../operator.ts'
import { type Value, wire } from '../value.ts'
import { activate } from './activation.ts'

/** Matrix products. */
export const matrices: Operators = {
  _FusedMatMul: fusedProduct,
  MatMul: (emit) => wire(product(emit)),
}

function fusedProduct(emit: Emit): Value {
  const fused = texts(emit.node, 'fused_ops')
  const biased =
    fused[0] === 'BiasAdd' ? emit.add('Add', [product(emit), emit.operand(2)]) : product(emit)
  const activations = fused.filter((name) => name !== 'BiasAdd')
  return wire(activations.reduce((x, name) => activate(emit, name, x, [-1]), biased))
}

function product(emit: Emit): string {
  return emit.add('MatMul', [factor(emit, 0, 'transpose_a'), factor(emit, 1, 'transpose_b')])
}

function factor(emit: Emit, index: number, transposed: string): string {
  const matrix = emit.operand(index)
  return flag(emit.node, transposed) ? emit.add('Transpose', [matrix], { perm: [1, 0] }) : matrix
}
