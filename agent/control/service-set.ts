import { join } from 'node:path'
import { AgentError } from '../core/errors.ts'
import type { ControlParts } from './agent-control.ts'
import type { StoredState } from './desired-store.ts'
import { wantedPreviews } from './preview-wishes.ts'
import { seedServices } from './seed.ts'
import { ServiceControl } from './service-control.ts'
import { newService, type ServiceState } from './service-state.ts'

/** The services of an agent, and their place in the desired-state file. */
export class ServiceSet {
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

  get all(): ReadonlyMap<string, ServiceControl> {
    return this.#services
  }

  /** Resolves when what is desired now is on the disk. */
  get saved(): Promise<void> {
    return this.#saved
  }

  /** @throws AgentError NOT_FOUND, naming those that exist */
  named(id: string): ServiceControl {
    const service = this.#services.get(id)
    if (service) return service
    const known = [...this.#services.keys()].join(' ') || 'none yet; $cmd/service/add makes one'
    throw new AgentError('NOT_FOUND', `no service '${id}' (known: ${known})`)
  }

  /** Brings back what is stored, and what the configuration file says. */
  restore(): void {
    const { stored, sections, defaultModel, limits, presence } = this.#parts
    const before = { services: stored?.services ?? {}, removed: stored?.removed ?? {} }
    const seeded = seedServices(sections, before, defaultModel, limits)
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

  /** Starts with what was restored. */
  begin(): void {
    for (const service of this.#services.values()) service.begin()
    this.#parts.bus.onFilters((filters) => {
      this.#filters = filters
      for (const id of this.#services.keys()) this.#wantPreviews(id)
    })
    this.#save()
  }

  /** @throws AgentError LIMIT_EXCEEDED */
  add(id: string, state: ServiceState): void {
    const most = this.#parts.limits.services
    if (this.#services.size >= most) {
      const message = `${most} services are as many as are allowed (setting limits.services)`
      throw new AgentError('LIMIT_EXCEEDED', message)
    }
    this.#make(id, state).begin()
    this.#save()
  }

  /** Ends a service and clears its topics; the configuration file does not bring it back. */
  async remove(id: string): Promise<void> {
    const service = this.named(id)
    this.#services.delete(id)
    const seed = this.#seeds[id]
    if (seed !== undefined) this.#removed = { ...this.#removed, [id]: seed }
    delete this.#seeds[id]
    this.#parts.servicesChanged([...this.#services.keys()])
    this.#save()
    await service.stop()
    service.topics.clear()
    await this.#saved
  }

  /** Ends every process; resolves when what is desired is on the disk. */
  async stop(): Promise<void> {
    await Promise.all([...this.#services.values()].map((service) => service.stop()))
    await this.#saved
  }

  #make(id: string, state: ServiceState): ServiceControl {
    const { serviceLimits, limits, crashFolder, presence } = this.#parts
    const { book, bus, log, store, streams, launch } = this.#parts
    const parts = {
      ...{ id, book, bus, log, store, streams, launch },
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
