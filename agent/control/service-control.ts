import { randomUUID } from 'node:crypto'
import type { AddressBook } from '../../schemas/address.ts'
import type { Result } from '../../schemas/results.ts'
import type { Stats } from '../../schemas/state.ts'
import type { Bus } from '../core/bus.ts'
import { AgentError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { LiveStream, StreamServer } from '../core/video.ts'
import type { Launch } from '../service/launch.ts'
import type { Once, ServiceLimits, Suspect } from '../service/messages.ts'
import { type FromRunning, Supervisor } from '../service/supervisor.ts'
import type { ModelStore } from '../store/store.ts'
import { streamViews } from './promised-streams.ts'
import { quarantine, quarantineAlert } from './quarantine.ts'
import type { Effect, ServiceEvent, ServiceState } from './service-state.ts'
import { type ServiceTopics, serviceTopics } from './service-topics.ts'
import { ServiceTraffic } from './service-traffic.ts'
import { transition } from './transition.ts'
import { inputStatuses, modelStatus, outputStatuses, phaseOf, serviceStatus } from './view.ts'

/** What a service needs of its agent. */
export interface ServiceParts {
  readonly id: string
  readonly book: AddressBook
  readonly bus: Bus
  readonly log: Log
  readonly store: ModelStore
  readonly streams: StreamServer
  readonly launch: Launch
  readonly limits: ServiceLimits
  readonly crashRecord: string
  readonly onceConcurrency: number
  /** The desired state changed. */
  changed(): void
  /** Raises, or with nothing clears, an alert. */
  alert(id: string, error: AgentError | undefined): void
}

/** How long a process is kept warm after its last work, ms. */
const LINGER_MS = 30_000

interface Asked {
  resolve(results: readonly Result[]): void
  reject(error: AgentError): void
}

/** One service on main's side: feeds its state machine, carries out effects, publishes what changed. */
export class ServiceControl {
  readonly #parts: ServiceParts
  readonly #supervisor: Supervisor
  readonly #traffic: ServiceTraffic
  readonly topics: ServiceTopics
  readonly #asked = new Map<string, Asked>()
  #state: ServiceState
  #since = Date.now()
  #fetch = new AbortController()
  #linger: NodeJS.Timeout | undefined
  #stats: Stats | undefined
  #previews: readonly string[] = []
  #stopped = false

  /** @param state what is desired, nothing of it running yet */
  constructor(parts: ServiceParts, state: ServiceState) {
    this.#parts = parts
    this.#state = state
    this.topics = serviceTopics(parts.bus, parts.book, parts.id)
    this.#traffic = new ServiceTraffic({
      service: parts.id,
      bus: parts.bus,
      log: parts.log,
      topics: this.topics,
      topicPrefixes: parts.limits.topicPrefixes,
      streams: parts.streams,
      queuedBytes: () => this.#supervisor.queuedBytes,
      send: (message) => this.#supervisor.send(message),
      published: (bytes) => this.#supervisor.published(bytes),
    })
    this.#supervisor = new Supervisor({
      service: parts.id,
      limits: parts.limits,
      crashRecord: parts.crashRecord,
      launch: parts.launch,
      log: parts.log,
      listener: {
        ready: () => this.#ready(),
        exited: (crash) => this.#exited(crash),
        quarantined: (who, error) => this.#quarantined(who, AgentError.fromInfo(error)),
        message: (message) => this.#heard(message),
      },
    })
  }

  get state(): ServiceState {
    return this.#state
  }

  /** Process, restarts and rate, for metrics. */
  get usage(): { pid: number | undefined; restarts: number; fps: number } {
    const inputs = Object.values(this.#stats?.inputs ?? {})
    const fps = inputs.reduce((sum, { inferred }) => sum + inferred, 0)
    return { pid: this.#supervisor.pid, restarts: this.#supervisor.restarts, fps }
  }

  /** What its state does not tell: since when it is as it is, its last stats, its streams by path. */
  get facts() {
    const { id, streams: server } = this.#parts
    const streams = streamViews(id, this.#state, server, this.#traffic.streams)
    return { since: this.#since, stats: this.#stats, streams }
  }

  /** The stream that shows an input, where an output makes one. */
  live(input: string): LiveStream | undefined {
    return this.#traffic.live(input)
  }

  /** Somebody wants to see these inputs; `*` stands for all. */
  wantPreviews(inputs: readonly string[]): void {
    if (inputs.join() === this.#previews.join()) return
    this.#previews = inputs
    this.#supervisor.send({ type: 'preview/wanted', inputs })
  }

  /** Publishes everything, and starts what was running before the agent ended. */
  begin(): void {
    this.#publish()
    if (this.#state.desired.compute !== 'start') return
    const desired = { ...this.#state.desired, compute: 'stop' as const }
    this.#state = { ...this.#state, desired }
    this.dispatch({ type: 'compute/start' })
  }

  /** Everything that happens to the service comes through here, one event after another. */
  dispatch(event: ServiceEvent): void {
    if (this.#stopped) return
    const before = this.#state
    const [next, effects] = transition(before, event, Date.now())
    if (phaseOf(before) !== phaseOf(next)) {
      this.#since = Date.now()
      const { id, log } = this.#parts
      log.info({ service: id, from: phaseOf(before), to: phaseOf(next) }, 'service state changed')
    }
    this.#state = next
    if (event.type === 'input/set') this.#forgive('input', Object.keys(event.patch))
    if (event.type === 'output/set') this.#forgive('output', Object.keys(event.patch))
    for (const effect of effects) this.#perform(effect)
    if (next.desired !== before.desired) this.#parts.changed()
    this.#publish()
  }

  /** Infers once. @throws AgentError LIMIT_EXCEEDED, TIMEOUT, and what the source raises */
  once(once: Omit<Once, 'request'>): Promise<readonly Result[]> {
    const { onceConcurrency } = this.#parts
    if (this.#asked.size >= onceConcurrency) {
      const message = `${onceConcurrency} 'once' requests are under way already (setting limits.onceConcurrency)`
      throw new AgentError('LIMIT_EXCEEDED', message, { retryable: true })
    }
    const request = randomUUID()
    return new Promise((resolve, reject) => {
      this.#asked.set(request, { resolve, reject })
      this.dispatch({ type: 'compute/once', once: { ...once, request } })
    })
  }

  /** Ends the process and waits for it; nothing that happens from now on changes what is desired. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#linger)
    this.#fetch.abort()
    this.#traffic.clear()
    const gone = new AgentError('CONFLICT', 'the service is stopping')
    for (const asked of this.#asked.values()) asked.reject(gone)
    this.#asked.clear()
    await this.#supervisor.stop()
  }

  #ready(): void {
    if (this.#previews.length > 0)
      this.#supervisor.send({ type: 'preview/wanted', inputs: this.#previews })
    this.dispatch({ type: 'process/ready' })
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'process/start':
        this.#supervisor.start()
        return
      case 'process/stop':
        void this.#supervisor.stop()
        return
      case 'send':
        this.#supervisor.send(effect.message)
        return
      case 'model/fetch':
        void this.#fetchModel(effect.id)
        return
      case 'linger':
        clearTimeout(this.#linger)
        this.#linger = setTimeout(() => this.dispatch({ type: 'linger/over' }), LINGER_MS)
        return
      case 'once/failed':
        this.#settleOnce(effect.request, (asked) => asked.reject(AgentError.fromInfo(effect.error)))
    }
  }

  async #fetchModel(id: string): Promise<void> {
    this.#fetch.abort()
    const abort = new AbortController()
    this.#fetch = abort
    let shown = -1
    try {
      const model = await this.#parts.store.ensure(id, {
        signal: abort.signal,
        onProgress: ({ done, total }) => {
          const progress = total ? Math.floor((done / total) * 20) / 20 : 0
          if (progress === shown || abort.signal.aborted) return
          shown = progress
          this.dispatch({ type: 'model/progress', id, progress })
        },
      })
      if (!abort.signal.aborted) this.dispatch({ type: 'model/fetched', model })
    } catch (cause) {
      if (abort.signal.aborted) return
      const error = AgentError.from(cause, 'MODEL_LOAD')
      this.topics.error(error)
      this.dispatch({ type: 'model/failed', id, error: error.toInfo() })
    }
  }

  #heard(message: FromRunning): void {
    switch (message.type) {
      case 'input':
        this.dispatch({ type: 'input/report', report: message.report })
        return
      case 'output':
        this.dispatch({ type: 'output/report', report: message.report })
        return
      case 'input/event':
        this.topics.event(`event/${message.event.input}`, message.event, 1)
        return
      case 'stats':
        this.#stats = message.stats
        this.topics.event('stats', message.stats, 0)
        return
      case 'model/loaded':
        this.dispatch(message)
        return
      case 'model/failed':
        this.topics.error(AgentError.fromInfo(message.error))
        this.dispatch(message)
        return
      case 'once':
        this.#settleOnce(message.request, (asked) => asked.resolve(message.results as Result[]))
        return
      case 'once/failed':
        this.#settleOnce(message.request, (asked) =>
          asked.reject(AgentError.fromInfo(message.error)),
        )
        return
      case 'fault': {
        const { error, type, ...where } = message
        this.topics.error(AgentError.fromInfo(error), where)
        return
      }
      default:
        this.#traffic.take(message)
    }
  }

  #settleOnce(request: string, settle: (asked: Asked) => void): void {
    const asked = this.#asked.get(request)
    this.#asked.delete(request)
    if (asked) settle(asked)
    if (request in this.#state.pending) this.dispatch({ type: 'once/done', request })
  }

  #exited(crash: Extract<ServiceEvent, { type: 'process/exited' }>['crash']): void {
    this.#traffic.clear()
    if (this.#stopped) return
    if (crash) this.topics.error(AgentError.fromInfo(crash))
    this.dispatch({ type: 'process/exited', ...(crash ? { crash } : {}) })
  }

  #quarantined(suspect: Suspect, error: AgentError): void {
    const { context, event } = quarantine(suspect, error.toInfo(), this.#state.desired.model.id)
    this.topics.error(error, context)
    this.#parts.alert(quarantineAlert(this.#parts.id, suspect), error)
    this.dispatch(event)
  }

  #forgive(kind: 'input' | 'output', ids: readonly string[]): void {
    for (const id of ids) {
      this.#supervisor.forgive({ kind, id })
      this.#parts.alert(quarantineAlert(this.#parts.id, { kind, id }), undefined)
    }
  }

  #publish(): void {
    this.topics.retain('input', inputStatuses(this.#state))
    this.topics.retain('output', outputStatuses(this.#state))
    this.topics.retain('model', modelStatus(this.#state))
    this.topics.retain('state', serviceStatus(this.#state, this.#since))
  }
}
