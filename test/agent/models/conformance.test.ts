import { conformsToModel } from './conformance.ts'
import { manifestOf, stretchedBytes } from './manifests.ts'

const small = { ...stretchedBytes, width: 64, height: 64 }

conformsToModel(manifestOf({ family: 'ssd' }), { scores: [1, 50, 4], boxes: [1, 50, 4] })
conformsToModel(
  manifestOf({ family: 'yolox', input: { ...small, dtype: 'float32', fit: 'letterbox' } }),
  { output: [1, 84, 9] },
)
