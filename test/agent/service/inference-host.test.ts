import { Worker } from 'node:worker_threads'
import { afterEach, expect, it } from 'vitest'
import { InferenceHost } from '../../../agent/service/inference-host.ts'
import { catalog } from '../../../agent/store/catalog.ts'
import type { ResolvedModel } from '../../../schemas/manifest.ts'

/** A thread that loads anything but 'broken', and finds its own options in each run. */
const thread = `
const { parentPort } = require('node:worker_threads')
let options
parentPort.on('message', (message) => {
  if (message.type === 'close') return parentPort.close()
  if (message.type === 'options') options = message.options
  if (message.type === 'load' && message.model.file === 'broken') {
    const error = { code: 'MODEL_LOAD', message: 'broken', retryable: false }
    parentPort.postMessage({ type: 'failed', error })
  } else if (message.type === 'load') {
    options = message.options
    parentPort.postMessage({ type: 'loaded', provider: 'cpu', hasBatchAxis: false })
  }
  if (message.type !== 'run') return
  const items = [{ label: options.labels.join(), classId: 0, score: options.minScore, box: [0, 0, 1, 1] }]
  const answers = [{ items, postprocessMs: 0 }]
  parentPort.postMessage({ type: 'done', run: message.run, answers, inferMs: 0 })
})`

const place = { fd: 1, slot: 0 }
let host: InferenceHost

afterEach(() => host.close())

function modelOf(id: string, labels: string[], file = 'model.onnx'): ResolvedModel {
  const [manifest] = catalog
  if (!manifest) throw new Error('the catalog is empty')
  return { manifest: { ...manifest, id, labels }, file, sha256: '' }
}

function loading(model: ResolvedModel, minScore: number) {
  const session = { device: 'cpu', threads: 1 } as const
  return host.load({ model, session, options: { minScore }, place })
}

async function optionsOfARun(): Promise<unknown> {
  const by = await host.current()
  const run = await host.run('lane', by, { inputs: {}, meta: undefined }, place)
  if (run.stale) throw new Error('no model was loaded meanwhile')
  return run.items.map(({ label, score }) => [label, score])[0]
}

it('gives a model that is being loaded the options that were asked for meanwhile', async () => {
  host = new InferenceHost([new Worker(thread, { eval: true })])
  await loading(modelOf('first', ['cat']), 0.5)
  const second = loading(modelOf('second', ['dog']), 0.6)
  host.setOptions({ minScore: 0.7 })
  await second
  expect(await optionsOfARun()).toEqual(['dog', 0.7])
})

it('keeps the model and the options that it has when another cannot be loaded', async () => {
  host = new InferenceHost([new Worker(thread, { eval: true })])
  await loading(modelOf('first', ['cat']), 0.5)
  host.setOptions({ minScore: 0.4 })
  await expect(loading(modelOf('second', ['dog'], 'broken'), 0.6)).rejects.toThrow('broken')
  expect(await optionsOfARun()).toEqual(['cat', 0.4])
})
