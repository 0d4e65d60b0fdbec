import { parentPort, workerData } from 'node:worker_threads'
import type { ModelOptions } from '../../schemas/control.ts'
import { createBackend } from '../backends/registry.ts'
import { AgentError } from '../core/errors.ts'
import type { Model, Session, Tensors } from '../core/stages.ts'
import { createModel } from '../models/registry.ts'
import { TRACKED_SCORE } from '../tracking/tracker.ts'
import { crashNote } from './crash-record.ts'
import type { FromInference, RunAnswer, RunSample, ToInference } from './inference-messages.ts'

/**
 * Entry of an inference thread. It does nothing but runs: a run blocks the thread, so whatever else
 * is to be done is done elsewhere, and the next run is already waiting in its message queue.
 * Postprocessing is part of it, so that the model's large outputs never leave this thread.
 */
interface Loaded {
  readonly session: Session
  readonly model: Model
}

/** A collection takes about 0.5 ms: of the default model's outputs (113 kB), one run in 19 pays it. */
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
    const { provider, hasBatchAxis } = session
    reply({ type: 'loaded', provider, hasBatchAxis })
  } catch (error) {
    reply({ type: 'failed', error: AgentError.from(error, 'MODEL_LOAD').toInfo() })
  } finally {
    crashNote(message.place, 'load', false)
  }
}

/** A run of several samples that fails fails for all: whoever asked for it finds out which one is bad. */
async function run({ run: id, samples }: Extract<ToInference, { type: 'run' }>): Promise<void> {
  try {
    if (!loaded || !options) throw new AgentError('INTERNAL', 'a run came before a model')
    const { session, model } = loaded
    const wanted = options
    note(samples, true)
    const start = performance.now()
    const outputs = await outputsOf(session, samples)
    const inferMs = performance.now() - start
    note(samples, false)
    const answers = samples.map(({ meta }, index) => {
      return answerOf(model, outputs[index] ?? {}, meta, wanted)
    })
    reply({ type: 'done', run: id, answers, inferMs })
  } catch (error) {
    note(samples, false)
    const fault = AgentError.from(error, 'INFERENCE_FAILED').toInfo()
    reply({ type: 'error', run: id, error: fault })
  }
}

function note(samples: readonly RunSample[], on: boolean): void {
  for (const { place } of samples) crashNote(place, 'infer', on, thread)
}

async function outputsOf(
  session: Session,
  samples: readonly RunSample[],
): Promise<readonly Tensors[]> {
  const inputs = samples.map((sample) => sample.inputs)
  const [first = {}, ...others] = inputs
  if (others.length === 0) return [await session.run(first)]
  return session.runBatch(inputs)
}

function answerOf(
  model: Model,
  outputs: Tensors,
  meta: unknown,
  wanted: Required<ModelOptions>,
): RunAnswer {
  const start = performance.now()
  uncollected += bytesOf(outputs)
  try {
    const items = model.postprocess(outputs, meta, searched(wanted))
    const tracking = wanted.track ? { tracking: { minScore: wanted.minScore } } : {}
    return { items, ...tracking, postprocessMs: performance.now() - start }
  } catch (error) {
    return { error: AgentError.from(error, 'INFERENCE_FAILED').toInfo() }
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
