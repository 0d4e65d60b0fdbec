import tf from '@tensorflow/tfjs'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { sizeOf } from '../../../../agent/store/tfjs/constant.ts'
import type { GraphNode, WeightSpec } from '../../../../agent/store/tfjs/graph.ts'
import { importGraph } from '../../../../agent/store/tfjs/import-graph.ts'
import { readWeights } from '../../../../agent/store/tfjs/weights.ts'

export type Attributes = NonNullable<GraphNode['attr']>
type Dtype = 'float32' | 'int32' | 'bool'

/** An operand: fed when the graph runs, or (`fixed`) a weight that is known at conversion. */
export interface Operand {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly values: readonly number[]
  readonly fixed: boolean
}

const dataTypes = { float32: 1, int32: 3, bool: 10 } as const

export const attribute = {
  integer: (i: number) => ({ i }),
  integers: (...i: number[]) => ({ list: { i } }),
  text: (text: string) => ({ s: Buffer.from(text).toString('base64') }),
  texts: (...list: string[]) => ({
    list: { s: list.map((text) => Buffer.from(text).toString('base64')) },
  }),
  flag: (b: boolean) => ({ b }),
  float: (f: number) => ({ f }),
  type: (dtype: Dtype) => ({ type: dataTypes[dtype] }),
}

/** Floats between -3 and 3 that look random and are the same each time; fed when the graph runs. */
export function floats(...shape: number[]): Operand {
  return { dtype: 'float32', shape, values: spread(shape, 6, -3), fixed: false }
}

/** Like `floats`, all above 0. */
export function positive(...shape: number[]): Operand {
  return { dtype: 'float32', shape, values: spread(shape, 4, 0.1), fixed: false }
}

/** Whole numbers, fed when the graph runs. */
export function whole(
  values: readonly number[],
  shape: readonly number[] = [values.length],
): Operand {
  return { dtype: 'int32', shape, values, fixed: false }
}

/** Truth values, fed when the graph runs. */
export function truths(...values: number[]): Operand {
  return { dtype: 'bool', shape: [values.length], values, fixed: false }
}

/** The same operand as a weight. */
export function fixed(operand: Operand): Operand {
  return { ...operand, fixed: true }
}

function spread(shape: readonly number[], range: number, start: number): number[] {
  let state = 12345
  return Array.from({ length: sizeOf(shape) }, () => {
    state = (state * 1103515245 + 12345) % 2 ** 31
    return Math.fround(start + (range * state) / 2 ** 31)
  })
}

/** One node with its operands. */
export interface SmallGraph {
  readonly op: string
  readonly operands: readonly Operand[]
  readonly attributes?: Attributes
  /** How many outputs the node has. */
  readonly outputs?: number
}

/** The shape and the numbers of each output. */
export type Outcome = readonly { readonly shape: readonly number[]; readonly values: number[] }[]

/** What TensorFlow.js computes. */
export async function byTensorFlow(graph: SmallGraph): Promise<Outcome> {
  const { nodes, specs, bytes } = build(graph)
  const model = await tf.loadGraphModel(
    tf.io.fromMemory({
      modelTopology: { node: nodes, versions: {} },
      weightSpecs: specs as tf.io.WeightsManifestEntry[],
      weightData: new Uint8Array(bytes).buffer,
    }),
  )
  const feeds = Object.fromEntries(
    fedOperands(graph).map(([name, { values, shape, dtype }]) => [
      name,
      tf.tensor([...values], [...shape], dtype),
    ]),
  )
  const results = [model.execute(feeds, outputNames(graph))].flat()
  return results.map((result) => ({
    shape: result.shape,
    values: Array.from(result.dataSync(), Number),
  }))
}

/** What ONNX Runtime computes on the converted graph. */
export async function byOnnxRuntime(graph: SmallGraph): Promise<Outcome> {
  const { nodes, specs, bytes } = build(graph)
  const groups = [{ paths: ['weights'], weights: specs }]
  const outputs = Object.fromEntries(outputNames(graph).map((name, index) => [name, `out${index}`]))
  const model = importGraph({
    model: { nodes, groups },
    weights: readWeights(groups, () => bytes),
    spec: { from: 'tfjs', inputs: {}, outputs },
  })
  const session = await InferenceSession.create(model, { logSeverityLevel: 3 })
  const feeds = fedOperands(graph).map(([name, operand]) => [name, onnxTensor(operand)])
  const results = await session.run(Object.fromEntries(feeds))
  await session.release()
  return Object.values(outputs).map((name) => {
    const { dims, data } = results[name] as Tensor
    return { shape: dims, values: Array.from(data as Iterable<number>, Number) }
  })
}

function onnxTensor({ dtype, values, shape }: Operand): Tensor {
  if (dtype === 'bool') return new Tensor('bool', Uint8Array.from(values), shape)
  if (dtype === 'int32') return new Tensor('int32', Int32Array.from(values), shape)
  return new Tensor('float32', Float32Array.from(values), shape)
}

const outputNames = ({ outputs = 1 }: SmallGraph): string[] =>
  Array.from({ length: outputs }, (_, index) => (index ? `node:${index}` : 'node'))

function fedOperands({ operands }: SmallGraph): [string, Operand][] {
  const named = operands.map((operand, index): [string, Operand] => [`operand${index}`, operand])
  return named.filter(([, { fixed: isFixed }]) => !isFixed)
}

function build({ op, operands, attributes }: SmallGraph) {
  const names = operands.map((_, index) => `operand${index}`)
  const sources = operands.map(({ dtype, shape, fixed: isFixed }, index): GraphNode => {
    const type = attribute.type(dtype)
    const dim = shape.map((size) => ({ size: String(size) }))
    const attr = { dtype: type, shape: { shape: { dim } } }
    return { name: names[index] ?? '', op: isFixed ? 'Const' : 'Placeholder', input: [], attr }
  })
  const type = attribute.type(operands.find(({ fixed: isFixed }) => !isFixed)?.dtype ?? 'float32')
  const node: GraphNode = { name: 'node', op, input: names, attr: { T: type, ...attributes } }
  const weights = operands
    .map((operand, index) => ({ name: names[index] ?? '', ...operand }))
    .filter(({ fixed: isFixed }) => isFixed)
  const specs: WeightSpec[] = weights.map(({ name, shape, dtype }) => ({ name, shape, dtype }))
  return { nodes: [...sources, node], specs, bytes: Buffer.concat(weights.map(bytesOf)) }
}

function bytesOf({ dtype, values }: Operand): Uint8Array {
  if (dtype === 'bool') return Uint8Array.from(values)
  const array = dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values)
  return new Uint8Array(array.buffer)
}
