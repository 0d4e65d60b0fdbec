import type { Emit } from './emit.ts'
import type { Value } from './value.ts'

/** Converts one node: adds what it needs to the ONNX graph and returns its outputs. */
export type Operator = (emit: Emit) => Value | readonly Value[]

/** TensorFlow operations by name. */
export type Operators = Readonly<Record<string, Operator>>
