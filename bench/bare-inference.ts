import * as runtime from 'onnxruntime-node'
import type { Tensors } from '../agent/core/stages.ts'
import { measure, report } from './bare.ts'
import { benchModel, built, openClip } from './material.ts'

/** Every so many frames of the clip one is taken. */
const EVERY = 12

/** Runs the model on real frames of the clip, prepared beforehand; nothing else. */
const { manifest, file } = await benchModel()
const feeds = (await realInputs()).map((inputs) =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, data, dims }]) => [
      name,
      new runtime.Tensor(dtype, data.slice(), dims),
    ]),
  ),
)
// The same options as agent/backends/onnx.ts sets for one thread.
const session = await runtime.InferenceSession.create(file, {
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
})

async function realInputs(): Promise<Tensors[]> {
  const { createModel } = (await built(
    'models/registry.js',
  )) as typeof import('../agent/models/registry.ts')
  const model = createModel(manifest)
  const pool = { lend: (bytes: number) => new SharedArrayBuffer(bytes) }
  const reader = await openClip()
  const inputs: Tensors[] = []
  for (let at = 0; ; at++) {
    const decoded = await reader.next()
    if (!decoded) break
    const { frame } = decoded
    const sample = { kind: 'picture', frame, capturedAt: 0, decodeMs: 0 } as const
    if (at % EVERY === 0) inputs.push((await model.preprocess(sample, pool)).inputs)
    frame.release()
  }
  await reader.close()
  return inputs
}

let at = 0
const result = await measure(async () => {
  await session.run(feeds[at++ % feeds.length] ?? {})
}, Number(process.argv[2]))
await session.release()
report(result)
