import type { TfjsImport } from '../../../schemas/manifest.ts'
import { AgentError } from '../../core/errors.ts'
import { dataType, shape } from './attributes.ts'
import { bestRows, onlyRows } from './best-rows.ts'
import type { Constant } from './constant.ts'
import { Emit, type Values } from './emit.ts'
import { type GraphModel, type GraphNode, nodeOf, tensorName } from './graph.ts'
import { OnnxWriter, onnxType, type Port } from './onnx-writer.ts'
import { operatorOf, requireOperators } from './operators.ts'
import { orderedNodes, requireNode } from './order.ts'
import { wire } from './value.ts'

/** What to convert: the graph, its weights by name, and where to cut it. */
export interface Import {
  readonly model: GraphModel
  readonly weights: ReadonlyMap<string, Constant>
  readonly spec: TfjsImport
  readonly onProgress?: (done: number, total: number) => void
}

/**
 * Converts a TensorFlow.js graph model to ONNX (opset 15). The same graph gives the same bytes.
 * @throws AgentError MODEL_LOAD that names what cannot be converted
 */
export function importGraph({ model, weights, spec, onProgress }: Import): Uint8Array {
  const nodes = orderedNodes(model.nodes, spec)
  requireOperators(nodes.filter((node) => spec.inputs[node.name] === undefined))
  const state: State = { values: new Map(), writer: new OnnxWriter(), inputs: [] }
  for (const [index, node] of nodes.entries()) {
    convert(node, state, { weights, spec })
    onProgress?.(index + 1, nodes.length)
  }
  return state.writer.encode({ inputs: state.inputs, outputs: outputsOf(state, spec, nodes) })
}

interface State {
  readonly values: Values
  readonly writer: OnnxWriter
  readonly inputs: Port[]
}

function convert(
  node: GraphNode,
  state: State,
  { weights, spec }: Pick<Import, 'weights' | 'spec'>,
) {
  const { name } = node
  const cut = spec.inputs[name]
  if (cut) {
    state.values.set(name, wire(feed(state, node, cut)))
  } else if (node.op === 'Placeholder') {
    const dtype = elementType(node, 'dtype')
    state.values.set(
      name,
      wire(feed(state, node, { rename: name, dims: shape(node, 'shape'), dtype })),
    )
  } else if (node.op === 'Const') {
    state.values.set(name, weightOf(weights, name))
  } else {
    const outputs = [operatorOf(node)(new Emit(node, state))].flat()
    for (const [index, value] of outputs.entries()) {
      state.values.set(index ? `${name}:${index}` : name, value)
    }
  }
}

function weightOf(weights: ReadonlyMap<string, Constant>, name: string): Constant {
  const weight = weights.get(name)
  if (weight) return weight
  throw new AgentError('MODEL_LOAD', `cannot convert the graph to ONNX: '${name}' has no weights`)
}

/** What the graph is fed at one node. */
interface Cut {
  readonly rename: string
  readonly dims: readonly number[]
  readonly dtype: keyof typeof onnxType
}

/** Adds a graph input, and a Cast where the graph computes with another element type. */
function feed(state: State, node: GraphNode, { rename, dims, dtype }: Cut): string {
  state.writer.reserve(rename)
  state.inputs.push({ name: rename, type: onnxType[dtype], dims })
  const wanted = elementType(node, 'dtype', 'T')
  if (wanted === dtype) return rename
  return state.writer.add('Cast', [rename], { to: onnxType[wanted] }, rename)[0] ?? ''
}

/** TensorFlow.js computes every integer as int32. */
function elementType(node: GraphNode, ...attributes: string[]): 'float32' | 'int32' | 'bool' {
  const number = dataType(node, ...attributes) ?? 1
  if (number === 10) return 'bool'
  return number === 1 ? 'float32' : 'int32'
}

/** Names the results as the manifest wants them. */
function outputsOf(state: State, spec: TfjsImport, nodes: readonly GraphNode[]): Port[] {
  const outputs = resultsOf(state, spec, nodes)
  const rows = spec.best && bestRows(resultNamed(outputs, spec.best.by), spec.best.rows)
  for (const { result, port } of outputs) {
    const kept = rows === undefined ? result.operand(0) : onlyRows(result, rows)
    state.writer.output(port.name, kept)
  }
  return outputs.map(({ port }) => port)
}

/** A tensor that is to be an output. */
interface Result {
  /** Operand 0 is the tensor. */
  readonly result: Emit
  readonly port: Port
}

function resultsOf(state: State, spec: TfjsImport, nodes: readonly GraphNode[]): Result[] {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  return Object.entries(spec.outputs).map(([tensor, name]) => {
    const source = tensorName(tensor)
    const result = new Emit({ name, op: 'output', input: [source] }, state)
    const node = requireNode(byName, nodeOf(source), 'output')
    const dtype = result.known(0)?.dtype ?? resultType(node, source)
    return { result, port: { name, type: onnxType[dtype] } }
  })
}

function resultNamed(outputs: readonly Result[], name: string): Emit {
  const found = outputs.find(({ port }) => port.name === name)
  if (found) return found.result
  const known = outputs.map(({ port }) => port.name).join(' ')
  throw new AgentError(
    'MODEL_LOAD',
    `cannot convert the graph to ONNX: no output '${name}' to find the best rows by (known: ${known})`,
  )
}

/** Element types of results that are not those of the operands. */
const resultTypes: Readonly<Record<string, 'int32' | 'bool'>> = {
  ArgMax: 'int32',
  ArgMin: 'int32',
  Equal: 'bool',
  Greater: 'bool',
  GreaterEqual: 'bool',
  Less: 'bool',
  LessEqual: 'bool',
  LogicalAnd: 'bool',
  LogicalNot: 'bool',
  LogicalOr: 'bool',
  Shape: 'int32',
  Size: 'int32',
  'TopKV2:1': 'int32',
}

function resultType(node: GraphNode, tensor: string): 'float32' | 'int32' | 'bool' {
  const special = resultTypes[`${node.op}${tensor.slice(node.name.length)}`]
  return special ?? elementType(node, 'DstT', 'dtype', 'T', 'Tparams', 'Tidx')
}
