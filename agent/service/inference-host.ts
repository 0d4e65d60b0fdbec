import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ModelOptions } from '../../schemas/control.ts'
import type { ResolvedModel } from '../../schemas/manifest.ts'
import { AgentError } from '../core/errors.ts'
import type { Prepared, SessionOptions, TensorPool } from '../core/stages.ts'
import { createModel, optionsFor } from '../models/registry.ts'
import { fairQueue } from '../pipeline/fair-queue.ts'
import type { Inference, Loaded } from '../pipeline/results.ts'
import { tensorPool } from '../pipeline/tensor-pool.ts'
import type { CrashPlace } from './crash-record.ts'
import type { FromInference, ToInference } from './inference-messages.ts'

interface Job {
  readonly by: Loaded
  readonly prepared: Prepared
  readonly place: CrashPlace
  settle(inference: Inference): void
  fail(error: unknown): void
}

interface Thread {
  readonly worker: Worker
  readonly jobs: Map<number, { readonly job: Job; since: number; readonly first: boolean }>
  answer?: (message: FromInference) => void
}

/** Runs handed to a thread at once: one in progress and the next, so that it never waits for us. */
const AHEAD = 2

/** How a model is to be loaded, and where that is noted. */
export interface LoadRequest {
  readonly model: ResolvedModel
  readonly session: SessionOptions
  readonly options: ModelOptions
  readonly place: CrashPlace
}

/** Owns the inference threads and shares them fairly among the inputs. */
export class InferenceHost {
  readonly #pool = tensorPool()
  readonly #queue = fairQueue<Job>()
  readonly #threads: readonly Thread[]
  /** The threads that infer: all of them on the processor, the first alone on a GPU. */
  #active: readonly Thread[] = []
  #loaded: Loaded | undefined
  #request: LoadRequest | undefined
  /** As they were last asked for; each load is followed by them. */
  #options: ModelOptions = {}
  #paused = false
  #warm = false
  #jobs = 0
  #waiting: ((loaded: Loaded) => void)[] = []

  /** @param workers idle inference threads, at least one (see `inference-thread.ts`) */
  constructor(workers: readonly Worker[]) {
    this.#threads = workers.map((worker) => ({ worker, jobs: new Map() }))
    for (const thread of this.#threads) {
      thread.worker.on('message', (message: FromInference) => {
        if (message.type === 'done' || message.type === 'error') this.#finished(thread, message)
        else thread.answer?.(message)
      })
      thread.worker.on('error', (error) => {
        throw error
      })
    }
  }

  /** Memory for input tensors; it comes back by itself after a run. */
  get pool(): TensorPool {
    return this.#pool
  }

  /** The loaded model, waited for. */
  current(): Promise<Loaded> {
    if (this.#loaded) return Promise.resolve(this.#loaded)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /**
   * Loads a model beside the one that runs, then swaps between two runs; when it fails, all stays as
   * it was. @throws AgentError MODEL_LOAD, BACKEND_UNAVAILABLE
   */
  async load(request: LoadRequest): Promise<{ provider: string }> {
    this.#paused = true
    const before = this.#options
    this.#options = request.options
    try {
      const answers = await this.#loadEverywhere(request)
      const failed = answers.find((answer) => answer.type === 'failed')
      if (failed) {
        if (this.#options === request.options) this.#options = before
        if (this.#request && answers.length > 1) await this.#loadEverywhere(this.#request)
        throw AgentError.fromInfo(failed.error)
      }
      this.#active = this.#threads.slice(0, answers.length)
      this.#swap(request)
      const [first] = answers
      return { provider: first?.type === 'loaded' ? first.provider : 'unknown' }
    } finally {
      this.#paused = false
      this.#postOptions()
      this.#dispatch()
    }
  }

  /** Options apply to the next run; while a model is being loaded, to its first. */
  setOptions(options: ModelOptions): void {
    this.#options = options
    if (!this.#paused) this.#postOptions()
  }

  /** Infers when it is this lane's turn. @throws AgentError INFERENCE_FAILED; CONFLICT when closing */
  run(lane: string, by: Loaded, prepared: Prepared, place: CrashPlace): Promise<Inference> {
    return new Promise((settle, fail) => {
      this.#queue.push(lane, { by, prepared, place, settle, fail })
      this.#dispatch()
    })
  }

  /** Age of the oldest run in flight, ms; 0 when there is none, or when it is a model's first. */
  inFlightMs(now: number): number {
    const oldest = this.#threads.flatMap(({ jobs }) => [...jobs.values()].slice(0, 1))
    return Math.max(0, ...oldest.map(({ since, first }) => (first ? 0 : now - since)))
  }

  /** Lets the runs in flight finish, releases the sessions and ends the threads. */
  async close(): Promise<void> {
    this.#paused = true
    const gone = new AgentError('CONFLICT', 'the service is stopping', { retryable: true })
    for (const job of this.#queue.drain()) job.fail(gone)
    await Promise.all(this.#threads.map(({ worker }) => ended(worker)))
  }

  /** Two WebGPU sessions in two threads of a process crash it, and one GPU gains nothing by them. */
  async #loadEverywhere({ model, session, options, place }: LoadRequest): Promise<FromInference[]> {
    const complete = optionsFor(model.manifest, options)
    const message = { type: 'load', model, session, options: complete, place } as const
    const [first, ...others] = this.#threads
    if (!first) throw new AgentError('INTERNAL', 'a service needs an inference thread')
    const answer = await ask(first, message)
    if (answer.type !== 'loaded' || answer.provider !== 'cpu') return [answer]
    return [answer, ...(await Promise.all(others.map((thread) => ask(thread, message))))]
  }

  #postOptions(): void {
    if (!this.#request) return
    const complete = optionsFor(this.#request.model.manifest, this.#options)
    for (const { worker } of this.#threads)
      worker.postMessage({ type: 'options', options: complete })
  }

  #swap(request: LoadRequest): void {
    this.#request = request
    this.#warm = false
    const { manifest } = request.model
    const loaded = { model: createModel(manifest), id: manifest.id }
    this.#loaded = loaded
    for (const tell of this.#waiting) tell(loaded)
    this.#waiting = []
  }

  #dispatch(): void {
    while (!this.#paused) {
      const thread = leastBusy(this.#active)
      const job = thread && thread.jobs.size < AHEAD ? this.#queue.next() : undefined
      if (!thread || !job) return
      if (job.by === this.#loaded) this.#start(thread, job)
      else job.settle({ stale: true })
    }
  }

  #start(thread: Thread, job: Job): void {
    this.#jobs += 1
    thread.jobs.set(this.#jobs, { job, since: performance.now(), first: !this.#warm })
    const { inputs, meta } = job.prepared
    const message: ToInference = { type: 'run', job: this.#jobs, inputs, meta, place: job.place }
    thread.worker.postMessage(message)
  }

  #finished(thread: Thread, message: Extract<FromInference, { job: number }>): void {
    const entry = thread.jobs.get(message.job)
    thread.jobs.delete(message.job)
    if (entry) this.#pool.giveBack(entry.job.prepared.inputs)
    this.#warm = true
    const [next] = thread.jobs.values()
    if (next) next.since = performance.now()
    this.#dispatch()
    if (message.type === 'error') entry?.job.fail(AgentError.fromInfo(message.error))
    else entry?.job.settle({ stale: false, ...message })
  }
}

/** A thread's last message may be lost when it ends, but never that it ended. */
async function ended(worker: Worker): Promise<void> {
  const exit = once(worker, 'exit')
  worker.postMessage({ type: 'close' } satisfies ToInference)
  await exit
}

function leastBusy([first, ...others]: readonly Thread[]): Thread | undefined {
  return others.reduce((a, b) => (a && b.jobs.size >= a.jobs.size ? a : b), first)
}

function ask(thread: Thread, message: ToInference): Promise<FromInference> {
  return new Promise((resolve) => {
    thread.answer = resolve
    thread.worker.postMessage(message)
  })
}

/** An idle inference thread of this process. */
export function inferenceThread(index: number): Worker {
  return new Worker(new URL('./inference-thread.js', import.meta.url), {
    workerData: { thread: index },
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  })
}
