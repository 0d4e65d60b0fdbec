import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { type GraphNode, parseGraphModel } from '../../../../agent/store/tfjs/graph.ts'
import { importGraph } from '../../../../agent/store/tfjs/import-graph.ts'
import { readWeights } from '../../../../agent/store/tfjs/weights.ts'
import type { TfjsImport } from '../../../../schemas/manifest.ts'
import { attribute, floats } from './small-graph.ts'

const { integer, type } = attribute
const float = { T: type('float32') }

const input: GraphNode = { name: 'x', op: 'Placeholder', attr: { dtype: type('float32') } }
const relu: GraphNode = { name: 'relu', op: 'Relu', input: ['x'], attr: float }

type Inputs = TfjsImport['inputs']

const cutAtX: Inputs = { x: { rename: 'image', dims: [-1, 2], dtype: 'float32' } }

function convert(
  nodes: readonly GraphNode[],
  outputs: TfjsImport['outputs'],
  inputs = cutAtX,
  best?: TfjsImport['best'],
) {
  return importGraph({
    model: { nodes, groups: [] },
    weights: new Map(),
    spec: { from: 'tfjs', inputs, outputs, ...(best && { best }) },
  })
}

async function run(model: Uint8Array, image: Tensor) {
  const session = await InferenceSession.create(model, { logSeverityLevel: 3 })
  const outputs = await session.run({ image })
  return Object.entries(outputs).map(([name, { dims, data }]) => [
    name,
    dims,
    [...(data as Float32Array)],
  ])
}

describe('the import of a graph', () => {
  it('names inputs and outputs as it is told, and leaves the batch open', async () => {
    const model = convert([input, relu], { relu: 'positive', x: 'same' })
    expect(await run(model, new Tensor('float32', [-1, 2, 3, -4], [2, 2]))).toEqual([
      ['positive', [2, 2], [0, 2, 3, 0]],
      ['same', [2, 2], [-1, 2, 3, -4]],
    ])
  })

  it('takes bytes where it is told to, and computes with floats', async () => {
    const bytes: Inputs = { x: { rename: 'image', dims: [1, 2], dtype: 'uint8' } }
    const model = convert([input, relu], { relu: 'y' }, bytes)
    expect(await run(model, new Tensor('uint8', [7, 255], [1, 2]))).toEqual([
      ['y', [1, 2], [7, 255]],
    ])
  })

  it('cuts off what lies before an input, though it could not be converted', async () => {
    const loop: GraphNode = { name: 'x', op: 'LoopCond', input: ['far'], attr: float }
    const far: GraphNode = { name: 'far', op: 'Enter', input: ['x'], attr: float }
    const model = convert([loop, far, relu], { relu: 'y' })
    expect(await run(model, new Tensor('float32', [-1, 2], [1, 2]))).toEqual([
      ['y', [1, 2], [0, 2]],
    ])
  })

  it('ignores control inputs', () => {
    const guarded = { ...relu, input: ['x', '^assertion'] }
    expect(convert([input, guarded], { relu: 'y' })).toEqual(convert([input, relu], { relu: 'y' }))
  })

  it('computes shapes that depend on the input when the model runs', async () => {
    const weights = new Map(
      Object.entries({ zero: [0], one: [1], minus: [-1] }).map(([name, values]) => [
        name,
        { dtype: 'int32', shape: [1], data: Int32Array.from(values) } as const,
      ]),
    )
    const whole = { T: type('int32') }
    const constants = [...weights.keys()].map(
      (name): GraphNode => ({ name, op: 'Const', attr: whole }),
    )
    const scalar: GraphNode = { name: 'scalar', op: 'Squeeze', input: ['minus'], attr: whole }
    const nodes: GraphNode[] = [
      input,
      ...constants,
      scalar,
      { name: 'shape', op: 'Shape', input: ['x'], attr: float },
      {
        name: 'rows',
        op: 'StridedSlice',
        input: ['shape', 'zero', 'one', 'one'],
        attr: { ...whole, shrink_axis_mask: integer(1) },
      },
      {
        name: 'sides',
        op: 'Pack',
        input: ['scalar', 'rows'],
        attr: { ...whole, axis: integer(0) },
      },
      { name: 'turned', op: 'Reshape', input: ['x', 'sides'], attr: float },
    ]
    const model = importGraph({
      model: { nodes, groups: [] },
      weights,
      spec: { from: 'tfjs', inputs: cutAtX, outputs: { turned: 'y' } },
    })
    const image = new Tensor('float32', [1, 2, 3, 4, 5, 6], [3, 2])
    expect(await run(model, image)).toEqual([['y', [2, 3], [1, 2, 3, 4, 5, 6]]])
  })

  it('names every operator it lacks at once, and those it knows', () => {
    const nodes = ['Fft', 'Beam', 'Fft'].map(
      (op, index): GraphNode => ({ name: `n${index}`, op, input: [index ? `n${index - 1}` : 'x'] }),
    )
    expect(() => convert([input, ...nodes], { n2: 'y' })).toThrow(
      /no operator for Beam, Fft \(known: .*Conv2D.*Relu6/,
    )
  })

  it.each([
    ['an output that does not exist', [input], { nothing: 'y' }, "no node 'nothing'"],
    ['an output beyond the last', [input, relu], { 'relu:1': 'y' }, "'relu:1'"],
    ['an operand that does not exist', [relu], { relu: 'y' }, "no node 'x'"],
    [
      'a constant without weights',
      [input, { ...relu, op: 'Const' }],
      { relu: 'y' },
      "'relu' has no weights",
    ],
    ['an operand too few', [input, { ...relu, op: 'Tile' }], { relu: 'y' }, 'operand 1 is missing'],
    [
      'a loop',
      [input, { ...relu, input: ['b'] }, { name: 'b', op: 'Relu', input: ['relu'] }],
      { relu: 'y' },
      'part of a loop',
    ],
    [
      'a filter that is computed',
      [input, { ...relu, op: 'Conv2D', input: ['x', 'x'] }],
      { relu: 'y' },
      "the Conv2D node 'relu' to ONNX: operand 1 must be a constant",
    ],
  ] as [string, GraphNode[], Record<string, string>, string][])(
    'refuses %s by name',
    (_, nodes, outputs, words) => {
      const inputs = nodes.some(({ name }) => name === 'x') ? cutAtX : {}
      expect(() => convert(nodes, outputs, inputs)).toThrow(words)
    },
  )
})

describe('the import of a graph, told to keep the best rows', () => {
  const negated: GraphNode = { name: 'negated', op: 'Neg', input: ['x'], attr: float }
  const both = { x: 'scores', negated: 'others' }
  const rowsOf = (...dims: number[]): Inputs => ({ x: { rename: 'image', dims, dtype: 'float32' } })
  const keeping = (rows: number, inputs: Inputs) =>
    convert([input, negated], both, inputs, { rows, by: 'scores' })

  it('keeps those of each sample with the largest numbers, best first, in all outputs', async () => {
    const model = keeping(2, rowsOf(-1, 3, 2))
    const image = new Tensor('float32', [1, 2, 0, 9, 8, 3, 7, 0, 6, 6, -1, -2], [2, 3, 2])
    expect(await run(model, image)).toEqual([
      ['scores', [2, 2, 2], [0, 9, 8, 3, 7, 0, 6, 6]],
      ['others', [2, 2, 2], [-0, -9, -8, -3, -7, -0, -6, -6]],
    ])
  })

  it('keeps of equal rows the earlier, of rows of one number or of several axes', async () => {
    const numbers = [4, 5, 4, 5]
    const single = await run(keeping(3, rowsOf(1, 4)), new Tensor('float32', numbers, [1, 4]))
    expect(single[0]).toEqual(['scores', [1, 3], [5, 5, 4]])
    const pairs = new Tensor('float32', [4, 1, 5, 2, 4, 3, 5, 4], [1, 4, 1, 2])
    const several = await run(keeping(3, rowsOf(1, 4, 1, 2)), pairs)
    expect(several[0]).toEqual(['scores', [1, 3, 1, 2], [5, 2, 5, 4, 4, 1]])
  })

  it('keeps all where there are fewer', async () => {
    const found = await run(keeping(300, rowsOf(1, 3)), new Tensor('float32', [2, 1, 3], [1, 3]))
    expect(found[0]).toEqual(['scores', [1, 3], [3, 2, 1]])
  })

  it('names the outputs when there is none of that name', () => {
    expect(() => convert([input, negated], both, cutAtX, { rows: 2, by: 'negated' })).toThrow(
      "no output 'negated' to find the best rows by (known: scores others)",
    )
  })

  it('finds what sorting finds, among many', async () => {
    const dims = [3, 500, 7]
    const numbers = floats(...dims).values
    const samples = [0, 1, 2].map((sample) =>
      Array.from({ length: 500 }, (_, row) => {
        const start = (sample * 500 + row) * 7
        return numbers.slice(start, start + 7)
      }),
    )
    const best = samples.map((rows) =>
      rows.toSorted((a, b) => Math.max(...b) - Math.max(...a)).slice(0, 100),
    )
    const image = new Tensor('float32', Float32Array.from(numbers), dims)
    const [scores] = await run(keeping(100, rowsOf(-1, 500, 7)), image)
    expect(scores).toEqual(['scores', [3, 100, 7], best.flat(2)])
  })
})

describe('a model.json', () => {
  it.each([
    ['not JSON', 'x', 'is not JSON'],
    ['a layers model', '{"format":"layers-model","modelTopology":{}}', 'layers-model'],
    ['without nodes', '{"modelTopology":{"node":[]},"weightsManifest":[]}', 'graph model'],
    ['with a negative side', weightsOf({ shape: [-1] }), 'graph model'],
  ])('%s is refused', (_, text, words) => {
    expect(() => parseGraphModel(text)).toThrow(words)
  })
})

function weightsOf(weight: object): string {
  const weights = [{ name: 'w', dtype: 'float32', shape: [], ...weight }]
  return JSON.stringify({
    modelTopology: { node: [input] },
    weightsManifest: [{ paths: [], weights }],
  })
}

describe('weights', () => {
  const read = (dtype: string, quantization: object | undefined, ...bytes: number[]) => {
    const size = { uint8: 1, bool: 1, uint16: 2, float16: 2 }[
      (quantization as { dtype?: string })?.dtype ?? dtype
    ]
    const spec = {
      name: 'w',
      dtype,
      shape: [bytes.length / (size ?? 4)],
      ...(quantization && { quantization }),
    }
    const groups = [{ paths: ['a', 'b'], weights: [spec as never] }]
    const half = Math.ceil(bytes.length / 2)
    const files = { a: bytes.slice(0, half), b: bytes.slice(half) }
    const weights = readWeights(groups, (path) => Uint8Array.from(files[path as 'a' | 'b']))
    return weights.get('w')?.data
  }

  it('are read as they are stored, across files', () => {
    expect(read('float32', undefined, 0, 0, 128, 63, 0, 0, 0, 192)).toEqual(Float32Array.of(1, -2))
    expect(read('int32', undefined, 1, 0, 0, 0, 255, 255, 255, 255)).toEqual(Int32Array.of(1, -1))
    expect(read('bool', undefined, 0, 1)).toEqual(Uint8Array.of(0, 1))
  })

  it('are read as the numbers they stand for where they are quantised', () => {
    const scaled = { scale: 0.5, min: -1 }
    expect(read('float32', { dtype: 'uint8', ...scaled }, 0, 4)).toEqual(Float32Array.of(-1, 1))
    expect(read('float32', { dtype: 'uint16', ...scaled }, 0, 1)).toEqual(Float32Array.of(127))
    expect(read('int32', { dtype: 'uint8', scale: 0.6, min: 0 }, 3)).toEqual(Int32Array.of(2))
  })

  it('are read from half precision, small and infinite ones too', () => {
    const halves = [0x3c00, 0xc000, 0x0001, 0x7c00, 0x8000].flatMap((half) => [
      half & 255,
      half >> 8,
    ])
    expect(read('float32', { dtype: 'float16' }, ...halves)).toEqual(
      Float32Array.of(1, -2, 2 ** -24, Number.POSITIVE_INFINITY, -0),
    )
  })

  it('of an unknown kind are refused by name', () => {
    expect(() => read('complex64', undefined, 1, 2, 3, 4)).toThrow("'w' is stored as complex64")
    expect(() => read('string', { dtype: 'uint8' }, 1)).toThrow('for string')
  })

  it('that are too short or too long are refused with both sizes', () => {
    const groups = [{ paths: ['a'], weights: [{ name: 'w', dtype: 'float32', shape: [3] }] }]
    for (const length of [11, 13]) {
      expect(() => readWeights(groups, () => new Uint8Array(length))).toThrow(
        `a hold ${length} bytes, model.json declares 12`,
      )
    }
  })
})
