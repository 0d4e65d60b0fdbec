import type { Worker } from 'node:worker_threads'
import type { InputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import type { Delivered, Seen, Source } from '../core/stages.ts'
import type { MediaEngine } from '../media/engine.ts'
import type { Inferrer } from '../pipeline/results.ts'
import { type Previews, previews } from '../sinks/preview.ts'
import { createSource } from '../sources/registry.ts'
import { CRASH_MEMORY_MS } from './blame.ts'
import { type CrashPlace, type CrashRecord, crashRecord, MODEL } from './crash-record.ts'
import { faultMeter } from './fault-meter.ts'
import { imageFeed } from './image-feed.ts'
import { InferenceHost } from './inference-host.ts'
import { InputRunner } from './input-runner.ts'
import type { FromService, InputReport, ServiceLimits, ToService } from './messages.ts'
import { notedEncoding, notedEngine, notedPreprocess, notedRead } from './native-notes.ts'
import { OnceJobs } from './once-jobs.ts'
import { openings } from './opening.ts'
import { outbox } from './outbox.ts'
import { type OutputParts, OutputRunner } from './output-runner.ts'
import { type ServedStreams, servedStreams } from './served-streams.ts'
import { turns } from './turns.ts'
import type { TakeVideo } from './video-pipe.ts'
import { within } from './within.ts'

type Message<Type extends ToService['type']> = Extract<ToService, { type: Type }>

/** What a service runs on. */
export interface RuntimeParts {
  readonly start: Message<'start'>
  readonly engine: MediaEngine
  /** Makes an idle inference thread (see `inference-thread.ts`). */
  createThread(index: number): Worker
  /** Hands a message to main; must not throw. */
  post(message: FromService): void
  /** Hands a packet to main; must not throw. */
  readonly video: TakeVideo
  /** For how long after a crash every sample has a run of its own, ms; by default, as long as it counts. */
  readonly carefulMs?: number
}

/** After a crash, inputs wait this long for the model, ms. */
const MODEL_MS = 10_000

/** One service at work: its model, inputs and outputs, each opened and closed on its own. */
export class ServiceRuntime {
  readonly #parts: RuntimeParts
  readonly #limits: ServiceLimits
  readonly #record: CrashRecord
  readonly #outbox
  readonly #feed
  readonly #faults
  readonly #host: InferenceHost
  readonly #inputs = new Map<string, InputRunner>()
  readonly #outputs = new Map<string, OutputRunner>()
  readonly #turns = turns()
  readonly #openings
  readonly #once: OnceJobs
  readonly #previews: Previews
  readonly #streams: ServedStreams
  #stopping = false
  #modelSettled: () => void = () => {}
  readonly #model = new Promise<void>((resolve) => {
    this.#modelSettled = resolve
  })

  constructor(parts: RuntimeParts) {
    this.#parts = parts
    this.#limits = parts.start.limits
    this.#record = crashRecord(parts.start.crashRecord)
    this.#outbox = outbox(parts.post, parts.video)
    this.#streams = servedStreams(this.#outbox)
    this.#feed = imageFeed(parts.post)
    this.#faults = faultMeter(parts.post)
    this.#previews = previews({
      settings: this.#limits.preview,
      publish: (input, payload) =>
        this.#outbox.event({ path: `preview/${input}`, payload, qos: 0 }),
      failed: (input, error) => this.#faults.fault(AgentError.from(error), { input }),
    })
    const threads = Array.from({ length: this.#limits.inferenceThreads }, (_, index) =>
      parts.createThread(index),
    )
    this.#host = new InferenceHost(threads, this.#limits.batching)
    if (parts.start.careful) this.#host.inferAlone(parts.carefulMs ?? CRASH_MEMORY_MS)
    this.#openings = openings(parts.start.careful)
    this.#once = new OnceJobs({
      admitted: (signal) => this.#openings.admitted(signal),
      record: this.#record,
      maxAlive: this.#limits.samplesPerInput,
      input: (id) => this.#inputs.get(id),
      source: ({ spec, upload = false }, place, stills) =>
        this.#source({ ...spec, pace: 'fast', loop: false }, place, { upload, stills }),
      inferrer: (lane, place) => this.#inferrer(lane, place),
      publish: (delivered) => void this.#deliver(delivered, false),
      post: parts.post,
    })
  }

  /** Carries out one message. Failures are reported, never thrown. */
  async handle(message: Exclude<ToService, { type: 'start' | 'stop' }>): Promise<void> {
    switch (message.type) {
      case 'model/load':
        return this.#loadModel(message)
      case 'model/options':
        return this.#host.setOptions(message.options)
      case 'input/open':
        return this.#turns.take(`input ${message.id}`, () =>
          this.#openings.take(() => this.#openInput(message)),
        )
      case 'input/close':
        return this.#turns.take(`input ${message.id}`, () => this.#closeInput(message.id))
      case 'output/open':
        return this.#turns.take(`output ${message.id}`, () => this.#openOutput(message))
      case 'output/close':
        return this.#turns.take(`output ${message.id}`, () => close(this.#outputs, message.id))
      case 'once':
        return this.#once.start(message.once)
      case 'once/taken':
        return this.#once.taken(message.request)
      case 'once/cancel':
        return this.#once.cancel(message.request)
      case 'image':
        return this.#feed.arrived(message.topic, { payload: message.payload, at: message.at })
      case 'ack':
        return this.#outbox.acknowledged(message.bytes)
      case 'stream/wanted':
        return this.#streams.wanted(message.stream, message.wanted)
      case 'stream/key':
        return this.#streams.key(message.stream)
      case 'preview/wanted':
        return this.#previews.want(message.inputs)
    }
  }

  /** Age of the oldest run in flight, ms (see `InferenceHost.inFlightMs`). */
  inFlightMs(): number {
    return this.#host.inFlightMs(performance.now())
  }

  /** Sends what happened in the last second. */
  tick(): void {
    const inputs = Object.fromEntries(
      [...this.#inputs].map(([id, input]) => [id, input.takeStats()] as const),
    )
    const undelivered = this.#outbox.takeUndelivered()
    this.#parts.post({ type: 'stats', stats: { v: 1, at: Date.now(), inputs, undelivered } })
    this.#faults.flush()
  }

  /** Reports the outputs' counters. */
  tickOutputs(): void {
    for (const output of this.#outputs.values()) output.tick()
  }

  /** Ends inputs, then inference, then outputs; resolves when nothing is alive. */
  async stop(): Promise<void> {
    this.#stopping = true
    const inputs = [...this.#inputs.values()].map((input) => input.close())
    await Promise.all([...inputs, this.#once.close()])
    await this.#host.close()
    await Promise.all([...this.#outputs.values()].map((output) => output.close()))
    this.tick()
  }

  async #loadModel({ model, device, options }: Message<'model/load'>): Promise<void> {
    const { id } = model.manifest
    const session = { device, threads: this.#limits.threadsPerInference }
    try {
      const place = this.#record.place(MODEL)
      const { provider } = await this.#host.load({ model, session, options, place })
      this.#parts.post({ type: 'model/loaded', id, provider })
    } catch (error) {
      this.#parts.post({
        type: 'model/failed',
        id,
        error: AgentError.from(error, 'MODEL_LOAD').toInfo(),
      })
    } finally {
      this.#modelSettled()
    }
  }

  async #openInput({ id, spec }: Message<'input/open'>): Promise<InputRunner | undefined> {
    if (this.#parts.start.careful) await within(MODEL_MS, this.#model)
    if (this.#stopping) return undefined
    const place = this.#record.place(id)
    try {
      const source = this.#source(spec, place)
      const input = new InputRunner({
        id,
        spec,
        source,
        inferrer: this.#inferrer(() => id, place),
        place,
        maxAlive: this.#limits.samplesPerInput,
        // What is live goes on: its results would be late for the others if one output made it wait.
        deliver: (delivered) => this.#deliver(delivered, !source.live),
        see: (seen) => this.#see(seen),
        report: (report) => this.#reportInput(report),
        event: (event) => this.#parts.post({ type: 'input/event', event }),
        fault: (error) => this.#faults.fault(error, { input: id }),
      })
      this.#inputs.set(id, input)
      input.open()
      return input
    } catch (cause) {
      const error = AgentError.from(cause)
      this.#faults.fault(error, { input: id })
      this.#parts.post({ type: 'input', report: { id, state: 'failed', error: error.toInfo() } })
      return undefined
    }
  }

  #reportInput(report: InputReport): void {
    this.#parts.post({ type: 'input', report })
    if (report.state === 'ended' || report.state === 'failed') this.#inputOver(report.id)
  }

  async #closeInput(id: string): Promise<void> {
    await close(this.#inputs, id)
    this.#inputOver(id)
  }

  #inputOver(id: string): void {
    for (const output of this.#outputs.values()) output.inputOver(id)
  }

  async #openOutput({ id, spec }: Message<'output/open'>): Promise<void> {
    if (this.#stopping) return
    const output = new OutputRunner({
      id,
      spec,
      atOnce: this.#limits.samplesPerInput,
      context: this.#sinkContext(id),
      report: (report) => this.#parts.post({ type: 'output', report }),
      fault: (error) => this.#faults.fault(error, { output: id }),
    })
    this.#outputs.set(id, output)
    await output.open()
  }

  #sinkContext(output: string): OutputParts['context'] {
    const { mediaFolder, topicPrefixes, outputAddresses, minFreeBytes, media } = this.#limits
    return {
      service: this.#parts.start.service,
      output,
      event: (event) => this.#outbox.event(event),
      mediaFolder,
      topicPrefixes,
      addresses: outputAddresses,
      minFreeBytes,
      engine: notedEncoding(this.#parts.engine, this.#record.output(output)),
      encoder: media.encoder,
      serve: (input, format, demand) => this.#streams.open({ output, input }, format, demand),
    }
  }

  #source(
    spec: InputSpec,
    place: CrashPlace,
    more: Partial<Parameters<typeof createSource>[1]> = {},
  ): Source {
    return createSource(spec, {
      ...more,
      limits: this.#limits,
      engine: notedEngine(this.#parts.engine, place),
      images: this.#feed,
      defaultPace: 'realtime',
      native: (work) => notedRead(place, work),
    })
  }

  #inferrer(lane: () => string, place: CrashPlace): Inferrer {
    const host = this.#host
    return {
      current: () => host.current(),
      preprocess: ({ model }, sample) => notedPreprocess(model, sample, host.pool, place),
      run: (by, prepared) => host.run(lane(), by, prepared, place),
    }
  }

  #deliver(delivered: Delivered, waits: boolean): Promise<void> | undefined {
    this.#previews.show(delivered)
    const outputs = [...this.#outputs.values()]
    const full = outputs.flatMap((output) => output.write(delivered, waits) ?? [])
    return full.length === 0 ? undefined : Promise.all(full).then(() => undefined)
  }

  #see(seen: Seen): void {
    for (const output of this.#outputs.values()) output.see(seen)
  }
}

async function close(parts: Map<string, { close(): Promise<void> }>, id: string): Promise<void> {
  const part = parts.get(id)
  parts.delete(id)
  await part?.close()
}
