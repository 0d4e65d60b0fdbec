import type { ModelInput, ModelManifest } from '../../../schemas/manifest.ts'

/** An input of 300×300 as the SSD of the catalog has it. */
export const stretchedBytes: ModelInput = {
  name: 'image',
  width: 300,
  height: 300,
  dtype: 'uint8',
  layout: 'nhwc',
  colour: 'rgb',
  fit: 'stretch',
}

/** A manifest for tests: a small SSD with a class that does not exist, unless overridden. */
export function manifestOf(overrides: Partial<ModelManifest> = {}): ModelManifest {
  return {
    id: 'test-model',
    title: 'A model for tests',
    task: 'detection',
    family: 'ssd',
    licence: 'Apache-2.0',
    origin: 'this test',
    providers: [{ type: 'file', path: 'model.onnx' }],
    input: stretchedBytes,
    outputs: { scores: 'scores', boxes: 'boxes', output: 'output' },
    labels: ['person', null, 'dog', 'cat'],
    thresholds: { minScore: 0.5, iouThreshold: 0.5, maxItems: 20 },
    ...overrides,
  }
}
