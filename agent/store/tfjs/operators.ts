import { AgentError } from '../../core/errors.ts'
import type { GraphNode } from './graph.ts'
import type { Operator, Operators } from './operator.ts'
import { activations } from './operators/activation.ts'
import { arithmetic } from './operators/arithmetic.ts'
import { assembly } from './operators/assembly.ts'
import { convolutions } from './operators/convolution.ts'
import { matrices } from './operators/matrix.ts'
import { pictures } from './operators/picture.ts'
import { reductions } from './operators/reduction.ts'
import { shapes } from './operators/shape.ts'
import { slicing } from './operators/slicing.ts'

/** Every TensorFlow operation that can be converted: a closed table. */
export const operators: Operators = {
  ...activations,
  ...arithmetic,
  ...assembly,
  ...convolutions,
  ...matrices,
  ...pictures,
  ...reductions,
  ...shapes,
  ...slicing,
}

/** Operations whose nodes the importer reads itself: weights and inputs. */
const leaves: readonly string[] = ['Const', 'Placeholder']

/** @throws AgentError MODEL_LOAD that names every operation the table lacks, and those it has */
export function requireOperators(nodes: Iterable<GraphNode>): void {
  const lacking = new Set<string>()
  for (const { op } of nodes) {
    if (!Object.hasOwn(operators, op) && !leaves.includes(op)) lacking.add(op)
  }
  if (lacking.size === 0) return
  throw new AgentError(
    'MODEL_LOAD',
    `cannot convert the graph to ONNX: no operator for ${[...lacking].sort().join(', ')} ` +
      `(known: ${[...Object.keys(operators), ...leaves].sort().join(' ')})`,
  )
}

/** The converter of an operation that `requireOperators` has let pass. */
export function operatorOf(node: GraphNode): Operator {
  const operator = Object.hasOwn(operators, node.op) ? operators[node.op] : undefined
  if (operator) return operator
  throw new AgentError('INTERNAL', `no operator '${node.op}'`)
}
