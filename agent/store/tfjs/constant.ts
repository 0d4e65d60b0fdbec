/** Element types that a TensorFlow.js graph computes with; int64 exists for ONNX's shape operands only. */
export type ElementType = 'float32' | 'int32' | 'bool' | 'int64'

/** A tensor whose value is known at conversion; row-major. bool is held as bytes 0 and 1. */
export interface Constant {
  readonly dtype: ElementType
  readonly shape: readonly number[]
  readonly data: Float32Array | Int32Array | Uint8Array | BigInt64Array
}

/** The number of elements of a tensor of this shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1)
}

/** A constant of `values`; without a shape, a vector. */
export function constantOf(
  dtype: ElementType,
  values: Iterable<number>,
  shape?: readonly number[],
): Constant {
  const numbers = [...values]
  return { dtype, shape: shape ?? [numbers.length], data: storage(dtype, numbers) }
}

/** The values of a constant as plain numbers. */
export function numbersOf(constant: Constant): number[] {
  return Array.from(constant.data, Number)
}

function storage(dtype: ElementType, numbers: readonly number[]): Constant['data'] {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(numbers)
    case 'int32':
      return Int32Array.from(numbers)
    case 'int64':
      return BigInt64Array.from(numbers, BigInt)
    case 'bool':
      return Uint8Array.from(numbers, (value) => (value === 0 ? 0 : 1))
  }
}
