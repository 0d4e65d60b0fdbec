import { flag, float } from '../attributes.ts'
import { constantOf } from '../constant.ts'
import type { Emit } from '../emit.ts'
import type { OnnxAttributes } from '../onnx-writer.ts'
import type { Operators } from '../operator.ts'
import { type Value, wire } from '../value.ts'

/** Operations on picture-like tensors as a whole. */
export const pictures: Operators = {
  FusedBatchNorm: normalise,
  FusedBatchNormV2: normalise,
  FusedBatchNormV3: normalise,
  ResizeBilinear: (emit) => resize(emit, { mode: 'linear' }),
  ResizeNearestNeighbor: (emit) =>
    resize(emit, { mode: 'nearest', nearest_mode: nearestMode(emit) }),
}

/** Operands: input, scale, offset, mean, variance. One factor and one summand remain per channel. */
function normalise(emit: Emit): Value {
  const [scale = [], offset = [], mean = [], variance = []] = [1, 2, 3, 4].map((index) =>
    emit.numbers(index),
  )
  const epsilon = float(emit.node, 'epsilon', 1e-4)
  const factors = scale.map(
    (value, channel) => value / Math.sqrt((variance[channel] ?? 0) + epsilon),
  )
  const summands = offset.map(
    (value, channel) => value - (mean[channel] ?? 0) * (factors[channel] ?? 0),
  )
  const scaled = emit.add('Mul', [emit.operand(0), emit.store(constantOf('float32', factors))])
  return wire(emit.add('Add', [scaled, emit.store(constantOf('float32', summands))]))
}

/** Operands: input, and its new height and width. */
function resize(emit: Emit, attributes: OnnxAttributes): Value {
  return emit.channelsFirst(0, (input) => {
    const bounds = [[0], [2], [0]].map((list) => emit.store(constantOf('int64', list)))
    const batchAndChannels = emit.add('Slice', [emit.add('Shape', [input]), ...bounds])
    const sizes = emit.add('Concat', [batchAndChannels, emit.sizes(1)], { axis: 0 })
    return emit.add('Resize', [input, '', '', sizes], {
      coordinate_transformation_mode: coordinates(emit),
      ...attributes,
    })
  })
}

function coordinates(emit: Emit): string {
  if (flag(emit.node, 'align_corners')) return 'align_corners'
  return flag(emit.node, 'half_pixel_centers') ? 'half_pixel' : 'asymmetric'
}

/** With half-pixel centres ONNX's coordinates lie half a pixel before those that TensorFlow floors. */
function nearestMode(emit: Emit): string {
  return coordinates(emit) === 'asymmetric' ? 'floor' : 'round_prefer_ceil'
}
