import { join } from 'node:path'
import type { AddressBook } from '../../schemas/address.ts'
import { type ModelOptions, ModelsPull, ServiceAdd, ServiceRemove } from '../../schemas/control.ts'
import type { Bus } from '../core/bus.ts'
import { AgentError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { StreamServer } from '../core/video.ts'
import type { Launch } from '../service/launch.ts'
import type { ServiceLimits } from '../service/messages.ts'
import type { ModelStore } from '../store/store.ts'
import type { DesiredStore, StoredState } from './desired-store.ts'
import { listed, type OnceLimits } from './once-requests.ts'
import {
  checked,
  checkLabels,
  onceSource,
  type PartLimits,
  readCompute,
  readInputs,
  readModel,
  readOutputs,
} from './payloads.ts'
import type { Presence } from './presence.ts'
import { wantedPreviews } from './preview-wishes.ts'
import type { Request } from './request.ts'
import { type Addressed, type Outcome, Router } from './router.ts'
import { applySection, type ServiceSection, sectionEvents, seedServices } from './seed.ts'
import { ServiceControl } from './service-control.ts'
import { type Desired, newService } from './service-state.ts'

/** What the control plane stands on. */
export interface ControlParts {
  readonly book: AddressBook
  readonly boot: string
  readonly bus: Bus
  readonly log: Log
  readonly store: ModelStore
  /** Serves the video of outputs. */
  readonly streams: StreamServer
  readonly desired: DesiredStore
  /** What was stored when the agent started. */
  readonly stored: StoredState | undefined
  readonly sections: Readonly<Record<string, ServiceSection>>
  readonly defaultModel: Desired['model']
  readonly launch: Launch
  readonly serviceLimits: ServiceLimits
  readonly limits: PartLimits & OnceLimits & { readonly services: number }
  /** For crash records. */
  readonly crashFolder: string
  readonly presence: Presence
  /** Services came or went. */
  servicesChanged(ids: readonly string[]): void
}

/** All services of an agent, and the commands that make and remove them. */
export class AgentControl {
  readonly #parts: ControlParts
  readonly #services = new Map<string, ServiceControl>()
  readonly #seeds: Record<string, string> = {}
  #removed: Readonly<Record<string, string>> = {}
  #saved: Promise<void> = Promise.resolve()
  #saving = false
  #filters: ReadonlySet<string> = new Set()

  constructor(parts: ControlParts) {
    this.#parts = parts
  }

  /** Brings back what is desired, then takes control messages. */
  begin(): void {
    const { book, bus, presence } = this.#parts
    this.#restore()
    new Router({
      book,
      bus,
      handle: (addressed, request, progress) => this.#handle(addressed, request, progress),
      retainedRefused: (topic) => {
        const message = `a retained message on '${topic}' was refused: it would be carried out again at every start`
        presence.alert('retained-command', new AgentError('NOT_AUTHORIZED', message), 'warning')
      },
    })
    for (const service of this.#services.values()) service.begin()
    bus.onFilters((filters) => {
      this.#filters = filters
      for (const id of this.#services.keys()) this.#wantPreviews(id)
    })
    this.#save()
  }

  get services(): ReadonlyMap<string, ServiceControl> {
    return this.#services
  }

  /** Ends every process; resolves when what is desired is on the disk. */
  async stop(): Promise<void> {
    await Promise.all([...this.#services.values()].map((service) => service.stop()))
    await this.#saved
  }

  #restore(): void {
    const { stored, sections, defaultModel, limits, presence } = this.#parts
    const seeded = seedServices(
      sections,
      { services: stored?.services ?? {}, removed: stored?.removed ?? {} },
      defaultModel,
      limits,
    )
    this.#removed = seeded.removed
    for (const [id, { desired, seed }] of Object.entries(seeded.services)) {
      if (seed !== undefined) this.#seeds[id] = seed
      this.#make(id, { ...newService(desired.model), desired })
    }
    if (seeded.overrode.length === 0) return
    const list = seeded.overrode.join(', ')
    const message = `the configuration file changed and replaced what was set by command for: ${list}`
    presence.alert('configuration', new AgentError('CONFLICT', message), 'warning')
  }

  #make(id: string, state: ConstructorParameters<typeof ServiceControl>[1]): ServiceControl {
    const { serviceLimits, limits, crashFolder, presence } = this.#parts
    const { book, bus, log, store, streams, launch } = this.#parts
    const parts = {
      id,
      book,
      bus,
      log,
      store,
      streams,
      launch,
      limits: serviceLimits,
      crashRecord: join(crashFolder, `${id}.crash`),
      onceLimits: limits,
      changed: () => this.#save(),
      alert: (alert: string, error: AgentError | undefined) => presence.alert(alert, error),
    }
    const service = new ServiceControl(parts, state)
    this.#services.set(id, service)
    this.#wantPreviews(id)
    this.#parts.servicesChanged([...this.#services.keys()])
    return service
  }

  #wantPreviews(id: string): void {
    const wanted = wantedPreviews(this.#filters, this.#parts.book, id)
    this.#services.get(id)?.wantPreviews(wanted)
  }

  #handle(
    addressed: Addressed,
    request: Request,
    progress: (data: unknown) => void,
  ): Promise<Outcome> {
    if ('command' in addressed) return this.#command(addressed.command, request.args, progress)
    const service = this.#services.get(addressed.service)
    if (!service) {
      const known = [...this.#services.keys()].join(' ') || 'none yet; $cmd/service/add makes one'
      throw new AgentError('NOT_FOUND', `no service '${addressed.service}' (known: ${known})`)
    }
    return this.#control(service, addressed.name, request)
  }

  async #control(
    service: ServiceControl,
    name: 'input/set' | 'output/set' | 'model/set' | 'compute',
    { args, replyTo }: Request,
  ): Promise<Outcome> {
    const { desired } = service.state
    if (name === 'compute') return this.#compute(service, args, replyTo !== undefined)
    const read = {
      'input/set': () => readInputs(args, desired, this.#parts.limits),
      'output/set': () => readOutputs(args, desired, this.#parts.limits),
      'model/set': () => readModel(args),
    }[name]()
    if (read.value.type === 'model/set') await this.#checkModel(read.value, desired)
    service.dispatch(read.value)
    await this.#saved
    return { unknown: read.unknown }
  }

  /** @throws AgentError MODEL_UNKNOWN; MESSAGE_INVALID for labels that the model does not have */
  async #checkModel(
    { id, options }: { readonly id?: string; readonly options?: ModelOptions },
    desired: Desired | undefined,
  ): Promise<void> {
    const { labels } = await this.#parts.store.find(
      id ?? desired?.model.id ?? this.#parts.defaultModel.id,
    )
    checkLabels(options?.labels ?? [], labels)
  }

  async #compute(service: ServiceControl, args: unknown, answered: boolean): Promise<Outcome> {
    const { value, unknown } = readCompute(args)
    if (value.action !== 'once') {
      service.dispatch({ type: value.action === 'stop' ? 'compute/stop' : 'compute/start' })
      await this.#saved
      return { unknown }
    }
    const tag = value.tag === undefined ? {} : { tag: value.tag }
    const source = onceSource(value.input, service.state.desired)
    const request = { ...source, ...tag, publish: !answered }
    const results = await listed((options) => service.once(request, options))
    return { unknown, data: results.length === 1 ? results[0] : { results } }
  }

  #command(name: string, args: unknown, progress: (data: unknown) => void): Promise<Outcome> {
    const commands: Readonly<Record<string, () => Promise<Outcome>>> = {
      ping: async () => ({ data: { boot: this.#parts.boot, at: Date.now() } }),
      'service/add': () => this.#add(args),
      'service/remove': () => this.#remove(args),
      'models/pull': () => this.#pull(args, progress),
    }
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (command) return command()
    throw new AgentError(
      'NOT_FOUND',
      `no command '${name}' (known: ${Object.keys(commands).join(' ')})`,
    )
  }

  async #add(args: unknown): Promise<Outcome> {
    const { limits, defaultModel } = this.#parts
    const { value, unknown } = checked('$cmd/service/add', ServiceAdd, args)
    const { service: id, ...section } = value
    const running = this.#services.get(id)
    if (section.model !== undefined) {
      await this.#checkModel(readModel(section.model).value, running?.state.desired)
    }
    if (running) {
      for (const event of sectionEvents(running.state.desired, section, limits))
        running.dispatch(event)
      if (section.compute) running.dispatch({ type: `compute/${section.compute}` })
    } else {
      if (this.#services.size >= limits.services) {
        const message = `${limits.services} services are as many as are allowed (setting limits.services)`
        throw new AgentError('LIMIT_EXCEEDED', message)
      }
      this.#make(id, applySection(newService(defaultModel), section, limits)).begin()
      this.#save()
    }
    await this.#saved
    return { unknown }
  }

  async #remove(args: unknown): Promise<Outcome> {
    const { value, unknown } = checked('$cmd/service/remove', ServiceRemove, args)
    const service = this.#services.get(value.service)
    if (!service) {
      const known = [...this.#services.keys()].join(' ')
      throw new AgentError('NOT_FOUND', `no service '${value.service}' (known: ${known})`)
    }
    this.#services.delete(value.service)
    const seed = this.#seeds[value.service]
    if (seed !== undefined) this.#removed = { ...this.#removed, [value.service]: seed }
    delete this.#seeds[value.service]
    this.#parts.servicesChanged([...this.#services.keys()])
    this.#save()
    await service.stop()
    service.topics.clear()
    await this.#saved
    return { unknown }
  }

  async #pull(args: unknown, progress: (data: unknown) => void): Promise<Outcome> {
    const { value, unknown } = checked('$cmd/models/pull', ModelsPull, args)
    const { manifest, sha256 } = await this.#parts.store.ensure(value.model, {
      onProgress: progress,
    })
    return { unknown, data: { model: manifest.id, sha256 } }
  }

  /** One write for all changes of a turn; who answers waits for it. */
  #save(): void {
    if (this.#saving) return
    this.#saving = true
    this.#saved = Promise.resolve().then(() => {
      this.#saving = false
      return this.#parts.desired.save(this.#stored())
    })
    this.#saved.catch((cause: unknown) => this.#saveFailed(AgentError.from(cause)))
  }

  #saveFailed(error: AgentError): void {
    const message = `the desired state cannot be saved, so a restart would lose changes: ${error.message}`
    this.#parts.presence.alert('desired-state', new AgentError('INTERNAL', message))
  }

  #stored(): StoredState {
    const services = Object.fromEntries(
      [...this.#services].map(([id, { state }]) => {
        const seed = this.#seeds[id]
        return [id, { desired: state.desired, ...(seed === undefined ? {} : { seed }) }]
      }),
    )
    return { version: 1, agent: this.#parts.book.agent, services, removed: this.#removed }
  }
}
