import type { Worker } from 'node:worker_threads'
import type { ModelOptions } from '../../schemas/control.ts'
import type { ResolvedModel } from '../../schemas/manifest.ts'
import { AgentError } from '../core/errors.ts'
import type { Prepared, SessionOptions, TensorPool } from '../core/stages.ts'
import { createModel, optionsFor } from '../models/registry.ts'
import { type BatchQueue, batchQueue } from '../pipeline/batch-queue.ts'
import type { Inference, Loaded } from '../pipeline/results.ts'
import { tensorPool } from '../pipeline/tensor-pool.ts'
import { alone, type Batching, batchLimit, type SessionTraits, setApart } from './batching.ts'
import type { CrashPlace } from './crash-record.ts'
import type { FromInference, RunEnd, ToInference } from './inference-messages.ts'
import { ask, ended, type Job, leastBusy, settle, type Thread } from './inference-threads.ts'

/** Runs handed to a thread at once: one in progress and the next, so that it never waits for us. */
const AHEAD = 2

/** Input tensors kept: of the runs handed over, and of the next one. */
const POOLED_RUNS = AHEAD + 1

/** How a model is to be loaded, and where that is noted. */
export interface LoadRequest {
  readonly model: ResolvedModel
  readonly session: SessionOptions
  readonly options: ModelOptions
  readonly place: CrashPlace
}

/**
 * Owns the inference threads and shares them fairly among the inputs. Samples that wait for the same model
 * share a run, where it has a batch axis.
 */
export class InferenceHost {
  readonly #pool = tensorPool()
  readonly #queue: BatchQueue<Job>
  readonly #threads: readonly Thread[]
  /** The threads that infer: all of them on the processor, the first alone on a GPU. */
  #active: readonly Thread[] = []
  #loaded: Loaded | undefined
  #request: LoadRequest | undefined
  /** As they were last asked for; each load is followed by them. */
  #options: ModelOptions = {}
  #paused = false
  #warm = false
  #runs = 0
  #batching: Batching
  #session: SessionTraits = { provider: 'unknown', hasBatchAxis: false }
  #waiting: ((loaded: Loaded) => void)[] = []

  /**
   * @param workers idle inference threads, at least one (see `inference-thread.ts`)
   * @param batching how samples share runs; by default they do not
   */
  constructor(workers: readonly Worker[], batching: Batching = alone) {
    this.#batching = batching
    this.#queue = batchQueue(batching.waitMs, () => this.#dispatch())
    this.#threads = workers.map((worker) => ({ worker, runs: new Map() }))
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
      const [first] = answers
      if (first?.type === 'loaded') this.#session = first
      this.#swap(request)
      return { provider: this.#session.provider }
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

  /** For so long, every sample has a run of its own: a crash then has one suspect. */
  inferAlone(ms: number): void {
    const usual = this.#batching
    this.#batching = alone
    this.#limitBatches()
    const over = (): void => {
      this.#batching = usual
      this.#limitBatches()
    }
    setTimeout(over, ms).unref()
  }

  /** Infers when it is this lane's turn. @throws AgentError INFERENCE_FAILED; CONFLICT when closing */
  run(lane: string, by: Loaded, prepared: Prepared, place: CrashPlace): Promise<Inference> {
    return new Promise((settle, fail) => {
      this.#queue.push(lane, { by, prepared, place, settle, fail })
      this.#dispatch()
    })
  }

  /**
   * Age of the oldest run in flight, ms for each of its samples; 0 when there is none, or when it is a
   * model's first.
   */
  inFlightMs(now: number): number {
    const oldest = this.#threads.flatMap(({ runs }) => [...runs.values()].slice(0, 1))
    const ages = oldest.map(({ since, first, jobs }) => (first ? 0 : (now - since) / jobs.length))
    return Math.max(0, ...ages)
  }

  /** Lets the runs in flight finish, releases the sessions and ends the threads. */
  async close(): Promise<void> {
    this.#paused = true
    const gone = new AgentError('CONFLICT', 'the service is stopping', { retryable: true })
    const refuse = (): void => {
      for (const job of this.#queue.drain()) job.fail(gone)
    }
    refuse()
    await Promise.all(this.#threads.map(({ worker }) => ended(worker)))
    refuse()
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
    this.#limitBatches()
    const { manifest } = request.model
    const loaded = { model: createModel(manifest), id: manifest.id }
    this.#loaded = loaded
    for (const tell of this.#waiting) tell(loaded)
    this.#waiting = []
  }

  #limitBatches(): void {
    const limit = batchLimit(this.#batching, this.#session)
    this.#queue.limit = limit
    this.#pool.most = POOLED_RUNS * limit
  }

  #dispatch(): void {
    while (!this.#paused) {
      const thread = leastBusy(this.#active)
      if (!thread || thread.runs.size >= AHEAD) return
      const alike = this.#active.filter(({ runs }) => runs.size === thread.runs.size)
      const jobs = this.#queue.next(alike.length)
      if (jobs.length === 0) return
      const current = jobs.filter(({ by }) => by === this.#loaded)
      if (current.length > 0) this.#start(thread, current)
      for (const job of jobs) if (!current.includes(job)) job.settle({ stale: true })
    }
  }

  #start(thread: Thread, jobs: readonly Job[]): void {
    this.#runs += 1
    thread.runs.set(this.#runs, { jobs, since: performance.now(), first: !this.#warm })
    const samples = jobs.map(({ prepared: { inputs, meta }, place }) => ({ inputs, meta, place }))
    const message: ToInference = { type: 'run', run: this.#runs, samples }
    thread.worker.postMessage(message)
  }

  #finished(thread: Thread, end: RunEnd): void {
    const jobs = thread.runs.get(end.run)?.jobs ?? []
    thread.runs.delete(end.run)
    this.#warm = true
    const [next] = thread.runs.values()
    if (next) next.since = performance.now()
    const failedTogether = end.type === 'error' && jobs.length > 1
    if (failedTogether) this.#setApart(jobs)
    else for (const { prepared } of jobs) this.#pool.giveBack(prepared.inputs)
    this.#dispatch()
    if (!failedTogether) settle(jobs, end)
  }

  /** A model that can run each of a batch's samples alone, but not together, gets smaller batches. */
  #setApart(jobs: readonly Job[]): void {
    const smaller = Math.max(1, Math.floor(jobs.length / 2))
    const shrink = (): void => {
      this.#queue.limit = Math.min(this.#queue.limit, smaller)
    }
    this.#queue.pushAlone(setApart(jobs, shrink))
  }
}
