import type { ModelProvider, TfjsImport } from '../../schemas/manifest.ts'

type Inputs = TfjsImport['inputs']

/**
 * The provider as it is to be carried out. A model is converted with a first axis of any length only
 * where batches are `wanted`: with it, ONNX Runtime computes shapes anew in every run of one sample.
 */
export function withBatchAxis(provider: ModelProvider, wanted: boolean): ModelProvider {
  const { convert } = provider
  if (!convert) return provider
  return { ...provider, convert: { ...convert, inputs: opened(convert.inputs, wanted) } }
}

/** Without `batch`, so that models have the same place in the cache as before there was such a thing. */
function opened(inputs: Inputs, wanted: boolean): Inputs {
  const entries = Object.entries(inputs).map(([node, { batch, ...input }]) => {
    const dims = wanted && batch ? [ANY, ...input.dims.slice(1)] : input.dims
    return [node, { ...input, dims }]
  })
  return Object.fromEntries(entries)
}

/** What the importer takes for a side of any length. */
const ANY = -1
