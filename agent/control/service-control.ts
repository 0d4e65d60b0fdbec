import type { AddressBook } from '../../schemas/address.ts'
import type { Bus } from '../core/bus.ts'
import { AgentError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { LiveStream, StreamServer } from '../core/video.ts'
import type { Launch } from '../service/launch.ts'
import type { Fault, OnceAnswer, ServiceLimits } from '../service/messages.ts'
import { type FromRunning, type Lasting, Supervisor } from '../service/supervisor.ts'
import type { ModelStore } from '../store/store.ts'
import { ModelFetch } from './model-fetch.ts'
import {
  ONCE_TIMEOUT_MS,
  type OnceLimits,
  type OnceOptions,
  type OnceRequest,
  OnceRequests,
} from './once-requests.ts'
import { streamViews } from './promised-streams.ts'
import { quarantine, quarantineAlert } from './quarantine.ts'
import { serviceRecord } from './service-record.ts'
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
  readonly onceLimits: OnceLimits
  /** The desired state changed. */
  changed(): void
  /** Raises, or with nothing clears, an alert. */
  alert(id: string, error: AgentError | undefined): void
}

/** How long a process is kept warm after its last work, ms. */
const LINGER_MS = 30_000

/** One service on main's side: feeds its state machine, carries out effects, publishes what changed. */
export class ServiceControl {
  readonly #parts: ServiceParts
  readonly #supervisor: Supervisor
  readonly #traffic: ServiceTraffic
  readonly topics: ServiceTopics
  readonly #once: OnceRequests
  readonly #fetch: ModelFetch
  readonly #record = serviceRecord()
  #state: ServiceState
  #since = Date.now()
  #linger: NodeJS.Timeout | undefined
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
        endedBadly: (error) => this.topics.error(AgentError.fromInfo(error)),
        quarantined: (who, error) => this.#quarantined(who, AgentError.fromInfo(error)),
        message: (message) => this.#heard(message),
        video: (stream, packet) => this.#traffic.video(stream, packet),
      },
    })
    this.#fetch = new ModelFetch(parts.store, (news, error) => {
      if (error) this.topics.error(error)
      this.dispatch(news)
    })
    this.#once = new OnceRequests({
      limits: parts.onceLimits,
      timeoutMs: ONCE_TIMEOUT_MS,
      underWay: () => Object.keys(this.#state.pending).length,
      begin: (once) => this.dispatch({ type: 'compute/once', once }),
      cancel: (request) => this.dispatch({ type: 'once/cancel', request }),
      taken: (request) => this.#supervisor.send({ type: 'once/taken', request }),
    })
  }

  get state(): ServiceState {
    return this.#state
  }

  /** Process, restarts and rate, for metrics. */
  get usage(): { pid: number | undefined; restarts: number; fps: number } {
    return { pid: this.#supervisor.pid, restarts: this.#supervisor.restarts, fps: this.#record.fps }
  }

  /** What its state does not tell: since when it is as it is, what it has done, its streams by path. */
  get facts() {
    const { id, streams: server } = this.#parts
    const streams = streamViews(id, this.#state, server, this.#traffic.streams)
    return { ...this.#record.facts, since: this.#since, streams }
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
    if (event.type === 'compute/start' && next.desired !== before.desired) this.#record.wanted()
    if (event.type === 'input/set') this.#forgive('input', Object.keys(event.patch))
    if (event.type === 'output/set') this.#forgive('output', Object.keys(event.patch))
    for (const effect of effects) this.#perform(effect)
    if (next.desired !== before.desired) this.#parts.changed()
    this.#publish()
    this.#once.admit()
  }

  /**
   * Results of one source, as they come: pulling the first one asks, at most four are on their way untaken,
   * and leaving the loop or aborting the signal ends the work.
   * @throws AgentError as `OnceRequests.ask`
   */
  once(request: OnceRequest, options?: OnceOptions): AsyncGenerator<OnceAnswer, void, void> {
    return this.#once.ask(request, options)
  }

  /** Ends the process and waits for it; nothing that happens from now on changes what is desired. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#linger)
    this.#fetch.abort()
    this.#traffic.clear()
    this.#once.close(new AgentError('CONFLICT', 'the service is stopping'))
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
        void this.#fetch.fetch(effect.id)
        return
      case 'linger':
        clearTimeout(this.#linger)
        this.#linger = setTimeout(() => this.dispatch({ type: 'linger/over' }), LINGER_MS)
        return
      case 'once/failed':
        this.#onceOver(effect.request, effect.error)
    }
  }

  #heard(message: FromRunning): void {
    this.#record.heard(message, this.#state.desired)
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
        this.topics.event('stats', message.stats, 0)
        return
      case 'model/loaded':
        this.dispatch(message)
        return
      case 'model/failed':
        this.topics.error(AgentError.fromInfo(message.error))
        this.dispatch(message)
        return
      case 'once/answer':
        this.#once.answered(message.request, message.answer)
        return
      case 'once/done':
        this.#onceOver(message.request)
        return
      case 'once/failed':
        this.#onceOver(message.request, message.error)
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

  #onceOver(request: string, error?: Fault): void {
    this.#once.over(request, error && AgentError.fromInfo(error))
    if (request in this.#state.pending) this.dispatch({ type: 'once/done', request })
  }

  #exited(crash: Extract<ServiceEvent, { type: 'process/exited' }>['crash']): void {
    this.#traffic.clear()
    this.#record.exited()
    if (this.#stopped) return
    if (crash) this.topics.error(AgentError.fromInfo(crash))
    this.dispatch({ type: 'process/exited', ...(crash ? { crash } : {}) })
  }

  #quarantined(suspect: Lasting, error: AgentError): void {
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
