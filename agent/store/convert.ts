import { posix } from 'node:path'
import type { TfjsImport } from '../../schemas/manifest.ts'
import { AgentError } from '../core/errors.ts'
import { isInside } from './inside.ts'
import type { ReadFiles } from './providers/provider.ts'
import { parseGraphModel } from './tfjs/graph.ts'
import { importGraph } from './tfjs/import-graph.ts'
import { readWeights } from './tfjs/weights.ts'

/** A graph model and what to make of it. */
export interface Conversion {
  /** Where `model.json` lies; the weight files that it names lie beside it or below. */
  readonly path: string
  /** The content of that `model.json`. */
  readonly graph: Uint8Array
  readonly spec: TfjsImport
  readonly onProgress?: (done: number, total: number) => void
}

/** Reads the weights of a TensorFlow.js graph model and converts it to ONNX. @throws AgentError MODEL_LOAD */
export async function convertGraph(
  { path, graph, spec, onProgress }: Conversion,
  read: ReadFiles,
): Promise<Uint8Array> {
  const model = parseGraphModel(new TextDecoder().decode(graph))
  const names = model.groups.flatMap((group) => group.paths)
  const outside = names.find((name) => !isInside(name))
  if (outside !== undefined) {
    throw new AgentError('MODEL_LOAD', `${path} names weights outside its folder: '${outside}'`)
  }
  const located = (name: string) => posix.join(posix.dirname(path), name)
  const files = await read(names.map(located))
  const bytesOf = (name: string) => files.get(located(name)) ?? new Uint8Array()
  return importGraph({
    model,
    weights: readWeights(model.groups, bytesOf),
    spec,
    ...(onProgress && { onProgress }),
  })
}
