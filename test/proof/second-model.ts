import { existsSync } from 'node:fs'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { catalog } from '../../agent/store/catalog.ts'
import type { ModelManifest } from '../../schemas/manifest.ts'

/** A model of another family; too large a file to be part of the project. */
const YOLOX = resolve('../shared/models/yolox_nano.onnx')

/** Puts a second model into a folder of models and returns its id. */
export async function placeSecondModel(folder: string): Promise<string> {
  const [first] = catalog
  if (!first) throw new Error('the catalog is empty')
  const other = existsSync(YOLOX) ? yoloxNano(first) : { ...first, id: `${first.id}-again` }
  const target = join(folder, other.id)
  await mkdir(target, { recursive: true })
  if (existsSync(YOLOX)) await copyFile(YOLOX, join(target, 'model.onnx'))
  await writeFile(join(target, 'manifest.json'), JSON.stringify(other, null, 2))
  return other.id
}

/** Its 80 classes are those of the first model, without the numbers that COCO left out. */
function yoloxNano({ labels }: ModelManifest): ModelManifest {
  return {
    id: 'yolox-nano',
    title: 'YOLOX-Nano (COCO)',
    task: 'detection',
    family: 'yolox',
    licence: 'Apache-2.0',
    origin: 'Megvii, as published in Kazuhito00/YOLOX-ONNX-TFLite-Sample',
    providers: [{ type: 'file', path: 'model.onnx' }],
    input: {
      name: 'images',
      width: 416,
      height: 416,
      dtype: 'float32',
      layout: 'nchw',
      colour: 'bgr',
      fit: 'letterbox',
      pad: 114,
    },
    outputs: { output: 'output' },
    labels: labels.filter((label) => label !== null),
    thresholds: { minScore: 0.3, iouThreshold: 0.45, maxItems: 20 },
  }
}
