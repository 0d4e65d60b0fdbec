import {
  type Attributes,
  attribute,
  fixed,
  floats,
  type Operand,
  positive,
  truths,
  whole,
} from './small-graph.ts'

/** Operation, what is special about the case, operands, attributes, number of outputs. */
export type Case = [
  op: string,
  what: string,
  operands: Operand[],
  attributes?: Attributes,
  outputs?: number,
]

const { flag, float, integer, integers, text, texts, type } = attribute

const picture = floats(1, 7, 6, 3)
const filter = fixed(floats(3, 3, 3, 4))
const matrix = floats(3, 4)
const numbers = whole([7, -7, 5, -5, 0, 9])
const divisors = whole([3, 3, -3, -3, 4, 4])
const list = (...values: number[]) => fixed(whole(values))
const scalar = (value: number) => fixed(whole([value], []))

const same = { padding: text('SAME') }
const valid = { padding: text('VALID') }
const step = (size: number) => ({
  strides: integers(1, size, size, 1),
  dilations: integers(1, 1, 1, 1),
})
const kernel = (size: number) => ({ ksize: integers(1, size, size, 1) })
const dilated = { dilations: integers(1, 2, 2, 1) }
const margins = {
  padding: text('EXPLICIT'),
  explicit_paddings: integers(0, 0, 2, 1, 0, 1, 0, 0),
}
const fusedWith = (...names: string[]) => ({
  ...same,
  ...step(1),
  num_args: integer(names.includes('Prelu') ? 2 : 1),
  leakyrelu_alpha: float(0.3),
  fused_ops: texts(...names),
})

const convolutions: Case[] = [
  ['Conv2D', 'SAME', [picture, filter], { ...same, ...step(1) }],
  ['Conv2D', 'SAME, stride 2', [picture, filter], { ...same, ...step(2) }],
  ['Conv2D', 'SAME, dilated', [picture, filter], { ...same, ...step(1), ...dilated }],
  ['Conv2D', 'VALID, dilated', [picture, filter], { ...valid, ...step(1), ...dilated }],
  ['Conv2D', 'explicit margins', [picture, filter], { ...margins, ...step(1) }],
  ...['Relu', 'Relu6', 'Elu', 'Sigmoid', 'LeakyRelu'].map((activation): Case => {
    const operands = [picture, filter, fixed(floats(4))]
    return ['_FusedConv2D', activation, operands, fusedWith('BiasAdd', activation)]
  }),
  [
    '_FusedConv2D',
    'Prelu',
    [picture, filter, fixed(floats(4)), fixed(positive(4))],
    fusedWith('BiasAdd', 'Prelu'),
  ],
  [
    'DepthwiseConv2dNative',
    'two outputs per channel',
    [picture, fixed(floats(3, 3, 3, 2))],
    { ...same, ...step(2) },
  ],
  [
    'FusedDepthwiseConv2dNative',
    'Relu6',
    [picture, fixed(floats(3, 3, 3, 1)), fixed(floats(3))],
    fusedWith('BiasAdd', 'Relu6'),
  ],
  ...[1, 2].map((stride): Case => {
    const operands = [list(1, 7 * stride, 6 * stride, 2), fixed(floats(3, 3, 2, 3)), picture]
    return ['Conv2DBackpropInput', `stride ${stride}`, operands, { ...same, ...step(stride) }]
  }),
  ...['MaxPool', 'AvgPool'].flatMap((op): Case[] => [
    [op, 'SAME', [picture], { ...same, ...step(2), ...kernel(3) }],
    [op, 'VALID', [picture], { ...valid, ...step(2), ...kernel(2) }],
  ]),
]

const pictures: Case[] = [
  ...['FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3'].map((op): Case => {
    const operands = [
      picture,
      fixed(floats(3)),
      fixed(floats(3)),
      fixed(floats(3)),
      fixed(positive(3)),
    ]
    return [op, 'inference', operands, { epsilon: float(0.01) }]
  }),
  ...['ResizeBilinear', 'ResizeNearestNeighbor'].flatMap((op): Case[] => [
    [op, 'legacy', [picture, list(5, 11)]],
    [op, 'half-pixel centres', [picture, list(5, 11)], { half_pixel_centers: flag(true) }],
    [
      op,
      'half-pixel centres, twice the size',
      [picture, list(14, 12)],
      { half_pixel_centers: flag(true) },
    ],
    [op, 'aligned corners', [picture, list(13, 11)], { align_corners: flag(true) }],
    [op, 'a size that is fed', [picture, whole([5, 11])]],
  ]),
]

const elementwise: Case[] = [
  ...['Abs', 'Ceil', 'Cos', 'Elu', 'Erf', 'Exp', 'Floor', 'Neg', 'Relu', 'Relu6', 'Selu'].map(
    onFloats,
  ),
  ...['Sigmoid', 'Sign', 'Sin', 'Softplus', 'Square', 'Tanh', 'Identity'].map(onFloats),
  ...['Log', 'Reciprocal', 'Rsqrt', 'Sqrt'].map((op): Case => [op, 'above 0', [positive(3, 4)]]),
  ['LeakyRelu', 'slope 0.3', [matrix], { alpha: float(0.3) }],
  ['Prelu', 'one slope per channel', [picture, fixed(positive(3))]],
  ['LogicalNot', 'truth values', [truths(1, 0)]],
  ...['Add', 'AddV2', 'Sub', 'Mul', 'RealDiv', 'Maximum', 'Minimum', 'SquaredDifference'].map(
    (op): Case => [op, 'broadcast', [matrix, positive(4)]],
  ),
  ['BiasAdd', 'per channel', [picture, fixed(floats(3))]],
  ['AddN', 'three', [matrix, positive(3, 4), matrix]],
  ['Pow', 'floats', [positive(3, 4), floats(4)]],
  ...['Add', 'Sub', 'Mul', 'Maximum', 'FloorDiv', 'FloorMod'].map(
    (op): Case => [op, 'integers of either sign', [numbers, divisors]],
  ),
  ['FloorDiv', 'floats', [matrix, floats(4)]],
  ['FloorMod', 'floats', [matrix, floats(4)]],
  ...['Equal', 'Greater', 'GreaterEqual', 'Less', 'LessEqual'].map(
    (op): Case => [op, 'integers', [whole([1, 2, 3]), whole([3, 2, 1])]],
  ),
  ...['LogicalAnd', 'LogicalOr'].map(
    (op): Case => [op, 'truth values', [truths(0, 0, 1, 1), truths(0, 1, 0, 1)]],
  ),
  ...['Select', 'SelectV2'].map(
    (op): Case => [op, 'floats', [truths(1, 0, 1), floats(3), positive(3)], { T: type('float32') }],
  ),
]

function onFloats(op: string): Case {
  return [op, 'floats', [matrix]]
}

const shapes: Case[] = [
  [
    'SparseToDense',
    'a row of indices',
    [fixed(whole([0, 2, 1, 1], [2, 2])), list(2, 3), list(8, 9), scalar(-1)],
  ],
  ['SparseToDense', 'one value for all', [list(3, 1), list(5), scalar(7), scalar(0)]],
  ['Cast', 'float to integer', [matrix], { SrcT: type('float32'), DstT: type('int32') }],
  ['Cast', 'integer to float', [numbers], { SrcT: type('int32'), DstT: type('float32') }],
  ['ExpandDims', 'last axis', [matrix, scalar(-1)]],
  ['Fill', 'a fed value', [list(2, 3), whole([7], [])]],
  ['Range', 'a fed end', [scalar(2), whole([11], []), scalar(3)]],
  ['Reshape', 'with a free side', [matrix, list(2, -1)]],
  ['Shape', 'of a picture', [picture], { out_type: type('int32') }],
  ['Size', 'of a picture', [picture], { out_type: type('int32') }],
  ['Squeeze', 'one axis', [picture], { squeeze_dims: integers(0) }],
  ['Squeeze', 'every axis of one', [picture]],
  ['Tile', 'both axes', [matrix, list(2, 3)]],
  ['Transpose', 'three axes', [floats(2, 3, 4), list(2, 0, 1)]],
  ['ConcatV2', 'along the last axis', [matrix, positive(3, 2), scalar(-1)]],
  ['Pack', 'along axis 1', [matrix, positive(3, 4)], { axis: integer(1) }],
  ['Split', 'in two', [scalar(1), matrix], { num_split: integer(2), T: type('float32') }, 2],
  ['SplitV', 'of given sizes', [matrix, list(1, 3), scalar(1)], { T: type('float32') }, 2],
  ['Unpack', 'rows', [matrix], { axis: integer(0), num: integer(3) }, 3],
]

const masks = (values: Readonly<Record<string, number>>): Attributes =>
  Object.fromEntries(
    ['begin_mask', 'end_mask', 'ellipsis_mask', 'new_axis_mask', 'shrink_axis_mask'].map((name) => [
      name,
      integer(values[name] ?? 0),
    ]),
  )

const slices: Case[] = [
  ['Slice', 'to the end of an axis', [matrix, list(1, 1), list(-1, 2)]],
  ['StridedSlice', 'plain', [matrix, list(0, 1), list(2, 4), list(1, 2)], masks({})],
  [
    'StridedSlice',
    'open at both sides',
    [matrix, list(1, 1), list(2, 2), list(1, 1)],
    masks({ begin_mask: 1, end_mask: 2 }),
  ],
  [
    'StridedSlice',
    'one row from the end',
    [matrix, list(-1, 0), list(0, 0), list(1, 1)],
    masks({ shrink_axis_mask: 1, end_mask: 2 }),
  ],
  [
    'StridedSlice',
    'backwards',
    [matrix, list(0, 0), list(0, 0), list(1, -1)],
    masks({ begin_mask: 3, end_mask: 3 }),
  ],
  ['GatherV2', 'columns', [matrix, list(3, 0, 0), scalar(1)]],
  ['GatherNd', 'elements', [matrix, whole([0, 1, 2, 3], [2, 2])], { Tparams: type('float32') }],
  ['Pad', 'zeros', [matrix, fixed(whole([1, 0, 2, 1], [2, 2]))]],
  [
    'PadV2',
    'a given value',
    [matrix, fixed(whole([1, 0, 2, 1], [2, 2])), fixed({ ...floats(), values: [5] })],
  ],
  ['MirrorPad', 'reflect', [matrix, fixed(whole([1, 0, 2, 1], [2, 2]))], { mode: text('REFLECT') }],
]

const reductions: Case[] = [
  ...['Max', 'Mean', 'Min', 'Prod', 'Sum'].flatMap((op): Case[] => [
    [op, 'of a picture', [picture, list(1, 2)], { keep_dims: flag(false) }],
    [op, 'keeping the axis', [picture, list(-1)], { keep_dims: flag(true) }],
  ]),
  ['ArgMax', 'of rows', [matrix, scalar(1)]],
  ['ArgMin', 'of columns', [matrix, scalar(0)]],
  ['Softmax', 'of rows', [matrix]],
  ['TopKV2', 'two of each row', [matrix, scalar(2)], { sorted: flag(true) }, 2],
  ['MatMul', 'plain', [matrix, floats(4, 2)]],
  ['MatMul', 'transposed', [matrix, floats(3, 2)], { transpose_a: flag(true) }],
  ['MatMul', 'second transposed', [matrix, floats(2, 4)], { transpose_b: flag(true) }],
  [
    '_FusedMatMul',
    'Relu',
    [matrix, fixed(floats(4, 2)), fixed(floats(2))],
    { fused_ops: texts('BiasAdd', 'Relu'), num_args: integer(1) },
  ],
]

/** At least one case for every operator of the table; none of them can be folded away. */
export const operatorCases: readonly Case[] = [
  ...convolutions,
  ...pictures,
  ...elementwise,
  ...shapes,
  ...slices,
  ...reductions,
]
