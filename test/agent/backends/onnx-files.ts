import onnxProto from 'onnx-proto'

const { onnx } = onnxProto

/** Element types by their number in onnx.proto. */
const ELEMENT = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
} as const
type Element = keyof typeof ELEMENT

/** A graph's input or output; a word is a dimension of any length. */
export interface ValueInfo {
  readonly name: string
  readonly element: Element
  readonly dims: readonly (number | string)[]
}

interface Graph {
  readonly node: readonly object[]
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  readonly initializer?: readonly object[]
}

/** The bytes of an ONNX file. */
export function onnxFile({ node, inputs, outputs, initializer = [] }: Graph): Uint8Array {
  const model = onnx.ModelProto.create({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 15 }],
    graph: {
      name: 'test',
      node: [...node],
      initializer: [...initializer],
      input: inputs.map(valueInfo),
      output: outputs.map(valueInfo),
    },
  })
  return onnx.ModelProto.encode(model).finish()
}

/** A model that gives its input back. */
export function identityFile(element: Element, dims: readonly (number | string)[]): Uint8Array {
  return onnxFile({
    node: [{ opType: 'Identity', input: ['x'], output: ['y'] }],
    inputs: [{ name: 'x', element, dims }],
    outputs: [{ name: 'y', element, dims }],
  })
}

/** `y = x + weight`, where the weight lies in another file. */
export function externalDataFile(location: string): Uint8Array {
  const entry = (key: string, value: string) => ({ key, value })
  return onnxFile({
    node: [{ opType: 'Add', input: ['x', 'weight'], output: ['y'] }],
    initializer: [
      {
        name: 'weight',
        dims: [1],
        dataType: ELEMENT.float32,
        dataLocation: 1,
        externalData: [entry('location', location), entry('offset', '0'), entry('length', '4')],
      },
    ],
    inputs: [{ name: 'x', element: 'float32', dims: [1] }],
    outputs: [{ name: 'y', element: 'float32', dims: [1] }],
  })
}

function valueInfo({ name, element, dims }: ValueInfo) {
  const dim = dims.map((length) =>
    typeof length === 'number' ? { dimValue: length } : { dimParam: length },
  )
  return { name, type: { tensorType: { elemType: ELEMENT[element], shape: { dim } } } }
}
