import { AgentError } from '../../core/errors.ts'
import { type Constant, sizeOf } from './constant.ts'
import type { WeightGroup, WeightSpec } from './graph.ts'

/**
 * Reads the weights of a TensorFlow.js graph model, quantised ones as the numbers they stand for.
 * `read` gives the bytes of one of the manifest's files.
 * @throws AgentError MODEL_LOAD for a truncated file or an element type that is not known
 */
export function readWeights(
  groups: readonly WeightGroup[],
  read: (path: string) => Uint8Array,
): Map<string, Constant> {
  const weights = new Map<string, Constant>()
  for (const group of groups) {
    const bytes = Buffer.concat(group.paths.map(read))
    checkLength(group, bytes.length)
    let offset = 0
    for (const spec of group.weights) {
      const length = sizeOf(spec.shape) * bytesPerElement(spec)
      weights.set(spec.name, decode(spec, bytes.subarray(offset, offset + length)))
      offset += length
    }
  }
  return weights
}

function checkLength(group: WeightGroup, actual: number): void {
  const expected = group.weights.reduce(
    (sum, spec) => sum + sizeOf(spec.shape) * bytesPerElement(spec),
    0,
  )
  if (actual === expected) return
  throw new AgentError(
    'MODEL_LOAD',
    `the weight files ${group.paths.join(', ')} hold ${actual} bytes, model.json declares ` +
      `${expected}: they are truncated or belong to another model`,
  )
}

const elementBytes: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  float16: 2,
  uint16: 2,
  uint8: 1,
  bool: 1,
}

function bytesPerElement(spec: WeightSpec): number {
  const stored = spec.quantization?.dtype ?? spec.dtype
  const bytes = elementBytes[stored]
  if (bytes !== undefined && targets.has(spec.dtype)) return bytes
  throw new AgentError(
    'MODEL_LOAD',
    `the weight '${spec.name}' is stored as ${stored} for ${spec.dtype} ` +
      `(known: ${Object.keys(elementBytes).join(' ')} for ${[...targets].join(' ')})`,
  )
}

const targets: ReadonlySet<string> = new Set(['float32', 'int32', 'bool'])

function decode(spec: WeightSpec, bytes: Buffer): Constant {
  const { shape, quantization } = spec
  const stored = storedNumbers(quantization?.dtype ?? spec.dtype, bytes)
  const values = quantization ? dequantised(stored, quantization) : stored
  if (spec.dtype === 'bool') return { dtype: 'bool', shape, data: Uint8Array.from(values) }
  if (spec.dtype === 'int32') {
    return { dtype: 'int32', shape, data: new Int32Array(values.map(Math.round)) }
  }
  return { dtype: 'float32', shape, data: new Float32Array(values) }
}

function dequantised(stored: Stored, { scale = 1, min = 0, dtype }: Quantization): Stored {
  return dtype === 'float16' ? stored : Float32Array.from(stored, (value) => value * scale + min)
}

type Quantization = NonNullable<WeightSpec['quantization']>
type Stored = Float32Array | Int32Array | Uint16Array | Uint8Array

function storedNumbers(dtype: string, bytes: Buffer): Stored {
  // The bytes of one weight start anywhere in the file: typed arrays need them aligned.
  const aligned = new Uint8Array(bytes).buffer
  switch (dtype) {
    case 'float32':
      return new Float32Array(aligned)
    case 'int32':
      return new Int32Array(aligned)
    case 'uint16':
      return new Uint16Array(aligned)
    case 'float16':
      return Float32Array.from(new Uint16Array(aligned), halfToNumber)
    default:
      return new Uint8Array(aligned)
  }
}

/** IEEE 754 binary16 → number. */
function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
