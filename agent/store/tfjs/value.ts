import type { Constant } from './constant.ts'

/** A tensor that is computed when the model runs: the name of an ONNX value. */
export interface Wire {
  readonly wire: string
}

/** A tensor of the graph under conversion, its axes in TensorFlow's order (NHWC). */
export type Value = Constant | Wire

/** A computed tensor. */
export function wire(name: string): Wire {
  return { wire: name }
}

/** Whether the tensor's value is known at conversion. */
export function isConstant(value: Value): value is Constant {
  return 'data' in value
}
