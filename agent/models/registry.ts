import type { ModelOptions } from '../../schemas/control.ts'
import type { ModelManifest } from '../../schemas/manifest.ts'
import { AgentError } from '../core/errors.ts'
import type { Model } from '../core/stages.ts'
import { ssd } from './ssd.ts'
import { yolox } from './yolox.ts'

/** Model families by the name that manifests use. */
const families: Readonly<Record<string, (manifest: ModelManifest) => Model>> = { ssd, yolox }

/**
 * The decoder of a model's family. Cheap: it loads nothing.
 * @throws AgentError MODEL_LOAD when the family is unknown or the manifest contradicts it
 */
export function createModel(manifest: ModelManifest): Model {
  const { id, family } = manifest
  const create = Object.hasOwn(families, family) ? families[family] : undefined
  if (create) return create(manifest)
  throw new AgentError(
    'MODEL_LOAD',
    `model '${id}': no decoder for family '${family}' (known: ${Object.keys(families).join(' ')})`,
  )
}

/** Options with every gap filled from the manifest; without `labels`, all of the model's classes. */
export function optionsFor(
  manifest: ModelManifest,
  options: ModelOptions = {},
): Required<ModelOptions> {
  const { minScore, iouThreshold, maxItems } = manifest.thresholds
  return {
    minScore: options.minScore ?? minScore,
    iouThreshold: options.iouThreshold ?? iouThreshold,
    maxItems: options.maxItems ?? maxItems,
    labels: options.labels ?? manifest.labels.filter((label) => label !== null),
    track: options.track ?? false,
  }
}
