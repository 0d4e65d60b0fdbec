import { AgentError } from '../core/errors.ts'
import type { Tensor, Tensors } from '../core/stages.ts'

/** What a graph says of the lengths of an input or output: a word stands for any length. */
export type Lengths = readonly (number | string)[]

/**
 * Whether a graph may take several samples at once: the first axis of every input and output is of any
 * length. That its runs keep the samples apart shows in the outputs only (see `outputsBySample`).
 */
export function hasBatchAxis(inputs: readonly Lengths[], outputs: readonly Lengths[]): boolean {
  const open = ([first]: Lengths): boolean => typeof first === 'string'
  return inputs.length > 0 && inputs.every(open) && outputs.every(open)
}

/**
 * The lengths of an input that holds these samples one after another; those of an only one as they are.
 * @throws AgentError INFERENCE_FAILED when the samples cannot share a tensor
 */
export function batchDims(input: string, samples: readonly Tensor[]): readonly number[] {
  const [first = [], ...others] = samples.map(({ dims }) => dims)
  if (others.length === 0) return first
  const same = others.every((dims) => dims.join() === first.join())
  if (same && first[0] === 1) return [samples.length, ...first.slice(1)]
  const shapes = [first, ...others].map((dims) => `[${dims}]`).join(' ')
  throw new AgentError(
    'INFERENCE_FAILED',
    `samples of '${input}' share a run when they are alike and their first axis is 1; given are ${shapes}`,
  )
}

/**
 * The outputs of a batch, by sample, each with a first axis of 1: views of the batch's memory.
 * @throws AgentError INFERENCE_FAILED when an output has not one row for each sample
 */
export function outputsBySample(outputs: Tensors, count: number): readonly Tensors[] {
  const entries = Object.entries(outputs)
  const odd = entries.find(([, { dims }]) => dims[0] !== count)
  if (odd) {
    const [name, { dtype, dims }] = odd
    throw new AgentError(
      'INFERENCE_FAILED',
      `the output '${name}' is ${dtype} [${dims}] for ${count} samples: the model takes one at a time`,
    )
  }
  return Array.from({ length: count }, (_, index) =>
    Object.fromEntries(entries.map(([name, output]) => [name, row(output, index, count)])),
  )
}

function row({ dtype, dims, data }: Tensor, index: number, count: number): Tensor {
  const length = data.length / count
  const part = data.subarray(index * length, (index + 1) * length)
  return { dtype, dims: [1, ...dims.slice(1)], data: part }
}
