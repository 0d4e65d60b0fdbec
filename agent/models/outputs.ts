import type { ModelManifest } from '../../schemas/manifest.ts'
import { AgentError } from '../core/errors.ts'
import type { Tensor, Tensors } from '../core/stages.ts'

/** Expected dimensions; a word stands for any length. */
export type Shape = readonly (number | string)[]

/**
 * The graph's names for the outputs that a family reads.
 * @throws AgentError MODEL_LOAD when the manifest leaves one out
 */
export function outputNames<const K extends string>(
  manifest: ModelManifest,
  wanted: readonly K[],
): Record<K, string> {
  const names = wanted.map((name) => {
    const graphName = manifest.outputs[name]
    if (graphName !== undefined) return [name, graphName]
    throw new AgentError(
      'MODEL_LOAD',
      `model '${manifest.id}': its manifest's outputs lack '${name}'; family '${manifest.family}' reads ${wanted.join(', ')}`,
    )
  })
  return Object.fromEntries(names)
}

/**
 * One float32 output, after checking that it has one of the shapes that the family can read: a wrong
 * manifest must not look like a bad model. @throws AgentError INFERENCE_FAILED
 */
export function floatOutput(
  outputs: Tensors,
  name: string,
  shapes: readonly Shape[],
): { readonly data: Float32Array; readonly dims: readonly number[] } {
  const output = outputs[name]
  if (output?.data instanceof Float32Array && shapes.some((shape) => fits(output.dims, shape))) {
    return { data: output.data, dims: output.dims }
  }
  const got = output ? describe(output) : `not among ${Object.keys(outputs).join(', ') || 'none'}`
  const expected = shapes.map((shape) => `float32 [${shape}]`).join(' or ')
  throw new AgentError(
    'INFERENCE_FAILED',
    `output '${name}' is ${got}; the manifest makes this family expect ${expected}`,
  )
}

function fits(dims: readonly number[], shape: Shape): boolean {
  if (dims.length !== shape.length) return false
  return shape.every((length, i) => typeof length === 'string' || length === dims[i])
}

function describe({ dtype, dims }: Tensor): string {
  return `${dtype} [${dims}]`
}
