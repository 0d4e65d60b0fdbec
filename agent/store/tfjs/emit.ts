import { AgentError } from '../../core/errors.ts'
import { type Constant, constantOf, numbersOf } from './constant.ts'
import { dataInputs, type GraphNode } from './graph.ts'
import { type OnnxAttributes, type OnnxWriter, onnxType } from './onnx-writer.ts'
import { isConstant, type Value, type Wire, wire } from './value.ts'

/** Tensors that were converted already, by their name in the graph. */
export type Values = Map<string, Value>

/**
 * What an operator sees of the conversion: the operands of its node, and the ONNX graph to add to.
 */
export class Emit {
  readonly node: GraphNode
  readonly #operands: readonly Value[]
  readonly #writer: OnnxWriter

  constructor(node: GraphNode, state: { values: Values; writer: OnnxWriter }) {
    this.node = node
    this.#operands = dataInputs(node).map((name) => {
      const value = state.values.get(name)
      if (value) return value
      throw this.fault(`it reads '${name}', which no node before it computes`)
    })
    this.#writer = state.writer
  }

  /** How many tensors the node reads. */
  get count(): number {
    return this.#operands.length
  }

  /** An operand as it is. @throws AgentError MODEL_LOAD when the node has fewer */
  value(index: number): Value {
    const value = this.#operands.at(index)
    if (value) return value
    throw this.fault(`it has ${this.count} operands, operand ${index} is missing`)
  }

  /** An operand, if its value is known at conversion. */
  known(index: number): Constant | undefined {
    const value = this.#operands.at(index)
    return value && isConstant(value) ? value : undefined
  }

  /** An operand that must be known at conversion. @throws AgentError MODEL_LOAD */
  constant(index: number): Constant {
    const value = this.value(index)
    if (isConstant(value)) return value
    throw this.fault(`operand ${index} must be a constant`)
  }

  /** The numbers of an operand that must be known at conversion. */
  numbers(index: number): number[] {
    return numbersOf(this.constant(index))
  }

  /** The one number of an operand that must be known at conversion. */
  number(index: number): number {
    return this.numbers(index)[0] ?? 0
  }

  /** The ONNX name of an operand. */
  operand(index: number): string {
    return this.#named(this.value(index))
  }

  /** The ONNX names of the operands from `start` to `end`. */
  operands(start = 0, end = this.count): string[] {
    return this.#operands.slice(start, end).map((value) => this.#named(value))
  }

  /** An operand as ONNX wants shapes: int64. */
  sizes(index: number): string {
    const known = this.known(index)
    if (known) return this.store(constantOf('int64', numbersOf(known), known.shape))
    return this.add('Cast', [this.operand(index)], { to: onnxType.int64 })
  }

  /**
   * Has `compute` work on an operand as NCHW, as ONNX's convolutions want it. ONNX Runtime removes
   * the transposes between two such computations when it loads the model.
   */
  channelsFirst(index: number, compute: (input: string) => string): Wire {
    const input = this.add('Transpose', [this.operand(index)], { perm: [0, 3, 1, 2] })
    return wire(this.add('Transpose', [compute(input)], { perm: [0, 2, 3, 1] }))
  }

  /** Adds an ONNX node with one output; returns its name. */
  add(op: string, inputs: readonly string[], attributes: OnnxAttributes = {}): string {
    return this.addMany(op, inputs, attributes, 1)[0] ?? ''
  }

  /** Adds an ONNX node with several outputs; returns their names. */
  addMany(
    op: string,
    inputs: readonly string[],
    attributes: OnnxAttributes,
    count: number,
  ): string[] {
    return this.#writer.add(op, inputs, attributes, this.node.name, count)
  }

  /** Adds a constant to the ONNX graph; returns its name. */
  store(constant: Constant): string {
    return this.#writer.constant(constant, this.node.name)
  }

  /** The error of a node that cannot be converted. */
  fault(reason: string): AgentError {
    return new AgentError(
      'MODEL_LOAD',
      `cannot convert the ${this.node.op} node '${this.node.name}' to ONNX: ${reason}`,
    )
  }

  #named(value: Value): string {
    return isConstant(value) ? this.store(value) : value.wire
  }
}
