import { integers, text, texts } from '../attributes.ts'
import type { Constant } from '../constant.ts'
import type { Emit } from '../emit.ts'
import { permute, reshape } from '../folding.ts'
import type { OnnxAttributes } from '../onnx-writer.ts'
import type { Operators } from '../operator.ts'
import type { Wire } from '../value.ts'
import { activate } from './activation.ts'

/** Convolutions and poolings. They compute on NCHW; filters are turned round at conversion. */
export const convolutions: Operators = {
  _FusedConv2D: (emit) => convolve(emit, dense(emit.constant(1))),
  AvgPool: (emit) => pool(emit, 'AveragePool'),
  Conv2D: (emit) => convolve(emit, dense(emit.constant(1))),
  Conv2DBackpropInput: transposedConvolution,
  DepthwiseConv2dNative: (emit) => convolve(emit, depthwise(emit.constant(1))),
  FusedDepthwiseConv2dNative: (emit) => convolve(emit, depthwise(emit.constant(1))),
  MaxPool: (emit) => pool(emit, 'MaxPool'),
}

interface Filter {
  /** ONNX's order: output channels, input channels of a group, height, width. */
  readonly weights: Constant
  readonly group: number
}

/** TensorFlow's order: height, width, input channels, output channels. */
function dense(filter: Constant): Filter {
  return { weights: permute(filter, [3, 2, 0, 1]), group: 1 }
}

/** TensorFlow's order: height, width, input channels, multiplier. */
function depthwise(filter: Constant): Filter {
  const [height = 1, width = 1, channels = 1] = filter.shape
  const weights = reshape(permute(filter, [2, 3, 0, 1]), [-1, 1, height, width])
  return { weights, group: channels }
}

function convolve(emit: Emit, { weights, group }: Filter): Wire {
  requireChannelsLast(emit)
  const fused = texts(emit.node, 'fused_ops')
  const parameters = [emit.store(weights)]
  if (fused[0] === 'BiasAdd') parameters.push(emit.store(reshape(emit.constant(2), [-1])))
  const window = {
    kernel_shape: weights.shape.slice(2),
    strides: spatial(integers(emit.node, 'strides')),
    dilations: spatial(integers(emit.node, 'dilations')),
  }
  const attributes = { ...window, group, ...dilatedPadding(emit, window) }
  return emit.channelsFirst(0, (input) => {
    const convolved = emit.add('Conv', [input, ...parameters], attributes)
    const activations = fused.filter((name) => name !== 'BiasAdd')
    return activations.reduce((x, name) => activate(emit, name, x, [-1, 1, 1]), convolved)
  })
}

/** Operands: shape of the output, filter (height, width, output, input channels), input. */
function transposedConvolution(emit: Emit): Wire {
  requireChannelsLast(emit)
  const weights = permute(emit.constant(1), [3, 2, 0, 1])
  const attributes = {
    kernel_shape: weights.shape.slice(2),
    strides: spatial(integers(emit.node, 'strides')),
    output_shape: emit.numbers(0).slice(1, 3),
    ...padding(emit),
  }
  return emit.channelsFirst(2, (input) =>
    emit.add('ConvTranspose', [input, emit.store(weights)], attributes),
  )
}

function pool(emit: Emit, op: 'MaxPool' | 'AveragePool'): Wire {
  requireChannelsLast(emit)
  const attributes = {
    kernel_shape: spatial(integers(emit.node, 'ksize')),
    strides: spatial(integers(emit.node, 'strides')),
    ...padding(emit),
  }
  return emit.channelsFirst(0, (input) => emit.add(op, [input], attributes))
}

/** Height and width of a list with one number per axis of NHWC; 1 where it is absent. */
function spatial(perAxis: readonly number[]): number[] {
  return [perAxis[1] ?? 1, perAxis[2] ?? 1]
}

interface Window {
  readonly kernel_shape: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
}

/** ONNX Runtime refuses `auto_pad` with dilations; with stride 1 the margins need no input size. */
function dilatedPadding(emit: Emit, { kernel_shape, strides, dilations }: Window): OnnxAttributes {
  const dilated = dilations.some((dilation) => dilation !== 1)
  if (!dilated || text(emit.node, 'padding', 'VALID') !== 'SAME') return padding(emit)
  if (strides.some((stride) => stride !== 1)) throw emit.fault('a stride and a dilation at once')
  const totals = kernel_shape.map((size, axis) => (size - 1) * (dilations[axis] ?? 1))
  const before = totals.map((total) => Math.floor(total / 2))
  const after = totals.map((total) => Math.ceil(total / 2))
  return { pads: [...before, ...after] }
}

function padding(emit: Emit): OnnxAttributes {
  const kind = text(emit.node, 'padding', 'VALID')
  if (kind === 'SAME') return { auto_pad: 'SAME_UPPER' }
  if (kind === 'VALID') return { auto_pad: 'VALID' }
  const edges = integers(emit.node, 'explicit_paddings')
  if (kind !== 'EXPLICIT' || edges.length !== 8) {
    throw emit.fault(`padding '${kind}' of ${edges.length} edges (known: SAME VALID EXPLICIT of 8)`)
  }
  const [, , top = 0, bottom = 0, left = 0, right = 0] = edges
  return { pads: [top, left, bottom, right] }
}

function requireChannelsLast(emit: Emit): void {
  const format = text(emit.node, 'data_format', 'NHWC')
  if (format !== 'NHWC') throw emit.fault(`data format '${format}' (known: NHWC)`)
}
