import { parentPort, workerData } from 'node:worker_threads'
import type { ModelOptions } from '../../schemas/control.ts'
import { createBackend } from '../backends/registry.ts'
import { AgentError } from '../core/errors.ts'
import type { Model, Session, Tensors } from '../core/stages.ts'
import { createModel } from '../models/registry.ts'
import { TRACKED_SCORE } from '../tracking/tracker.ts'
import { crashNote } from './crash-record.ts'
import type { FromInference, ToInference } from './inference-messages.ts'

/**
 * Entry of an inference thread. It does nothing but runs: a run blocks the thread, so whatever else
 * is to be done is done elsewhere, and the next run is already waiting in its message queue.
 * Postprocessing is part of it, so that the model's large outputs never leave this thread.
 */
interface Loaded {
  readonly session: Session
  readonly model: Model
}

/** A collection takes about 0.5 ms: of the default model's outputs (692 kB), every third run pays it. */
const UNCOLLECTED_BYTES = 2 << 20

const port = parentPort
const backend = createBackend('onnx')
const thread = Number(workerData.thread)
let loaded: Loaded | undefined
let options: Required<ModelOptions> | undefined
let uncollected = 0
/** The runtime is loaded while the process is still finding its feet; a failure shows at the first model. */
let tail: Promise<void> = backend.prepare().catch(() => undefined)

const reply = (message: FromInference): void => port?.postMessage(message)

port?.on('message', (message: ToInference) => {
  tail = tail.then(() => handle(message))
})

async function handle(message: ToInference): Promise<void> {
  switch (message.type) {
    case 'load':
      return load(message)
    case 'options':
      options = message.options
      return
    case 'run':
      await run(message)
      collectOutputs()
      return
    case 'close':
      await loaded?.session.close()
      loaded = undefined
      port?.close()
  }
}

/** The new model is loaded beside the old one, which stays when the new one fails. */
async function load(message: Extract<ToInference, { type: 'load' }>): Promise<void> {
  crashNote(message.place, 'load', true)
  try {
    const model = createModel(message.model.manifest)
    const session = await backend.load(message.model.file, message.session)
    const before = loaded
    loaded = { session, model }
    options = message.options
    await before?.session.close()
    reply({ type: 'loaded', provider: session.provider })
  } catch (error) {
    reply({ type: 'failed', error: AgentError.from(error, 'MODEL_LOAD').toInfo() })
  } finally {
    crashNote(message.place, 'load', false)
  }
}

async function run({
  job,
  inputs,
  meta,
  place,
}: Extract<ToInference, { type: 'run' }>): Promise<void> {
  try {
    if (!loaded || !options) throw new AgentError('INTERNAL', 'a run came before a model')
    crashNote(place, 'infer', true, thread)
    const start = performance.now()
    const outputs = await loaded.session.run(inputs)
    const inferred = performance.now()
    uncollected += bytesOf(outputs)
    crashNote(place, 'infer', false, thread)
    const items = loaded.model.postprocess(outputs, meta, searched(options))
    const postprocessMs = performance.now() - inferred
    const tracking = options.track ? { tracking: { minScore: options.minScore } } : {}
    reply({ type: 'done', job, items, ...tracking, inferMs: inferred - start, postprocessMs })
  } catch (error) {
    crashNote(place, 'infer', false, thread)
    const fault = AgentError.from(error, 'INFERENCE_FAILED').toInfo()
    reply({ type: 'error', job, error: fault })
  }
}

/** A tracker recognises objects by low scores too. */
function searched(options: Required<ModelOptions>): Required<ModelOptions> {
  if (!options.track) return options
  return { ...options, minScore: Math.min(options.minScore, TRACKED_SCORE) }
}

/**
 * Outputs lie outside V8's heap, which therefore sees no reason to collect them: 20 MB would pile up, each
 * output in cold memory. The service process is started with `--expose-gc` for this.
 */
function collectOutputs(): void {
  if (uncollected < UNCOLLECTED_BYTES) return
  uncollected = 0
  globalThis.gc?.({ type: 'minor' })
}

function bytesOf(outputs: Tensors): number {
  return Object.values(outputs).reduce((sum, { data }) => sum + data.byteLength, 0)
}
