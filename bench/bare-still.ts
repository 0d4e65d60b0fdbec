import * as runtime from 'onnxruntime-node'
import sharp from 'sharp'
import { measure, report } from './bare.ts'
import { benchModel } from './material.ts'
import { still } from './still.ts'

const SIZE = 300
/** As in agent/sinks/annotated.ts. */
const QUALITY = 85

/** What any service must do for one picture: decode, scale, infer, encode; one after the other, nothing else. */
const { file } = await benchModel()
const jpeg = await still()
const session = await runtime.InferenceSession.create(file, {
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
})
const [name = ''] = session.inputNames
sharp.cache(false)

const result = await measure(async () => {
  const { data, info } = await sharp(jpeg).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const raw = { width: info.width, height: info.height, channels: info.channels }
  const small = await sharp(data, { raw }).resize(SIZE, SIZE, { fit: 'fill' }).raw().toBuffer()
  const pixels = new Uint8Array(small)
  await session.run({ [name]: new runtime.Tensor('uint8', pixels, [1, SIZE, SIZE, 3]) })
  await sharp(data, { raw }).jpeg({ quality: QUALITY }).toBuffer()
}, Number(process.argv[2]))
await session.release()
report(result)
