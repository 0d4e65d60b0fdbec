import onnxProto from 'onnx-proto'
import { type Constant, type ElementType, numbersOf, sizeOf } from './constant.ts'

const { onnx } = onnxProto

/** ONNX's TensorProto.DataType. */
export const onnxType = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
} as const

/** An attribute of an ONNX node: whole numbers, text, or a number that is a float. */
export type OnnxAttribute = number | string | readonly number[] | { readonly float: number }
/** The attributes of a node, by name. */
export type OnnxAttributes = Readonly<Record<string, OnnxAttribute>>

/** A graph input or output. A side below 1 is variable. */
export interface Port {
  readonly name: string
  readonly type: number
  readonly dims?: readonly number[]
}

const OPSET = 15
const IR_VERSION = 8

/**
 * Collects the nodes and constants of one ONNX graph, then encodes it. The same calls give the same
 * bytes, so a converted model can be recognised by its checksum.
 */
export class OnnxWriter {
  readonly #nodes: onnxProto.onnx.INodeProto[] = []
  readonly #constants = new Map<string, string>()
  readonly #initializers: onnxProto.onnx.ITensorProto[] = []
  readonly #used = new Set<string>()

  /** Adds a node with `count` outputs; returns their names, which begin with `label`. */
  add(
    op: string,
    inputs: readonly string[],
    attributes: OnnxAttributes,
    label: string,
    count = 1,
  ): string[] {
    const name = this.#unused(`${label}/${op}`)
    const outputs = Array.from({ length: count }, (_, index) => (index ? `${name}:${index}` : name))
    const attribute = Object.entries(attributes).map(([key, value]) => encodeAttribute(key, value))
    this.#nodes.push({ opType: op, name, input: [...inputs], output: outputs, attribute })
    return outputs
  }

  /** Adds a constant; small equal ones are stored once. */
  constant(constant: Constant, label: string): string {
    const key = sizeOf(constant.shape) <= 16 ? keyOf(constant) : undefined
    const known = key === undefined ? undefined : this.#constants.get(key)
    if (known !== undefined) return known
    const name = this.#unused(`${label}/value`)
    if (key !== undefined) this.#constants.set(key, name)
    const { data } = constant
    this.#initializers.push({
      name,
      dims: [...constant.shape],
      dataType: onnxType[constant.dtype satisfies ElementType],
      rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    })
    return name
  }

  /** Keeps a name free for an input or output of the graph. */
  reserve(name: string): void {
    this.#used.add(name)
  }

  /** Gives an ONNX value the name of a graph output; ONNX Runtime drops the Identity. */
  output(name: string, source: string): void {
    this.reserve(name)
    this.#nodes.push({ opType: 'Identity', name, input: [source], output: [name] })
  }

  /** The ONNX file: a protobuf ModelProto. */
  encode(graph: { inputs: readonly Port[]; outputs: readonly Port[] }): Uint8Array {
    return onnx.ModelProto.encode({
      irVersion: IR_VERSION,
      opsetImport: [{ domain: '', version: OPSET }],
      producerName: 'heliograph',
      graph: {
        name: 'model',
        node: this.#nodes,
        initializer: this.#initializers,
        input: graph.inputs.map(encodePort),
        output: graph.outputs.map(encodePort),
      },
    }).finish()
  }

  #unused(wanted: string): string {
    let name = wanted
    for (let count = 2; this.#used.has(name); count++) name = `${wanted}_${count}`
    this.#used.add(name)
    return name
  }
}

function keyOf(constant: Constant): string {
  return [constant.dtype, constant.shape.join('x'), numbersOf(constant).join()].join('|')
}

function encodeAttribute(name: string, value: OnnxAttribute) {
  const { AttributeType } = onnx.AttributeProto
  if (typeof value === 'string') {
    return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) }
  }
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value }
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float }
  return { name, type: AttributeType.INTS, ints: [...value] }
}

function encodePort({ name, type, dims }: Port) {
  const shape = dims && {
    dim: dims.map((side, axis) => (side > 0 ? { dimValue: side } : { dimParam: `d${axis}` })),
  }
  return { name, type: { tensorType: { elemType: type, ...(shape && { shape }) } } }
}
