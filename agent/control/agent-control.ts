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
import { promisedStreams } from './promised-streams.ts'
import { type Addressed, type Order, type Outcome, Router } from './router.ts'
import { applySection, type ServiceSection, sectionEvents } from './seed.ts'
import type { ServiceControl } from './service-control.ts'
import { ServiceSet } from './service-set.ts'
import { type Desired, newService } from './service-state.ts'
import { modelView } from './view.ts'

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

/** Carries out what is asked of an agent and its services, whichever door it came through. */
export class AgentControl {
  readonly #parts: ControlParts
  readonly #services: ServiceSet
  #begun = false

  constructor(parts: ControlParts) {
    this.#parts = parts
    this.#services = new ServiceSet(parts)
  }

  /** Brings back what is desired, then takes control messages. */
  begin(): void {
    const { book, bus, presence } = this.#parts
    this.#services.restore()
    new Router({
      book,
      bus,
      carryOut: (addressed, order) => this.carryOut(addressed, order),
      retainedRefused: (topic) => {
        const message = `a retained message on '${topic}' was refused: it would be carried out again at every start`
        presence.alert('retained-command', new AgentError('NOT_AUTHORIZED', message), 'warning')
      },
    })
    this.#services.begin()
    this.#begun = true
  }

  /** Whether what is desired was brought back; until then nobody knows which services there are. */
  get begun(): boolean {
    return this.#begun
  }

  get services(): ReadonlyMap<string, ServiceControl> {
    return this.#services.all
  }

  /** Whether a stream at `/<service>/<output>/<input>` is wanted, and may be there soon. */
  promises(path: string): boolean {
    const [, id = '', output, input] = path.split('/')
    const service = this.services.get(id)
    const streams = service ? promisedStreams(service.state) : []
    return streams.some((stream) => stream.output === output && stream.input === input)
  }

  /** Ends every process; resolves when what is desired is on the disk. */
  stop(): Promise<void> {
    return this.#services.stop()
  }

  /** Does what the order says, and settles when it would survive a restart. @throws AgentError */
  async carryOut(addressed: Addressed, order: Order): Promise<Outcome> {
    if ('command' in addressed) return this.#command(addressed.command, order)
    return this.#control(this.#services.named(addressed.service), addressed.name, order)
  }

  async #control(
    service: ServiceControl,
    name: 'input/set' | 'output/set' | 'model/set' | 'compute',
    order: Order,
  ): Promise<Outcome> {
    if (name === 'compute') return this.#compute(service, order)
    const { args, replace = false } = order
    const { limits } = this.#parts
    const read = {
      'input/set': () => readInputs(args, service.state.desired, limits, replace),
      'output/set': () => readOutputs(args, service.state.desired, limits, replace),
      'model/set': () => readModel(args, replace),
    }[name]
    const first = read().value
    if (first.type === 'model/set') await this.#checkModel(first, service.state.desired)
    order.guard?.(service)
    const { value, unknown } = read()
    service.dispatch(value)
    await this.#services.saved
    return { unknown }
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

  async #compute(service: ServiceControl, { args, answered, guard }: Order): Promise<Outcome> {
    const { value, unknown } = readCompute(args)
    if (value.action !== 'once') {
      guard?.(service)
      service.dispatch({ type: value.action === 'stop' ? 'compute/stop' : 'compute/start' })
      await this.#services.saved
      return { unknown }
    }
    const tag = value.tag === undefined ? {} : { tag: value.tag }
    const source = onceSource(value.input, service.state.desired)
    const request = { ...source, ...tag, publish: !answered }
    const results = await listed((options) => service.once(request, options))
    return { unknown, data: results.length === 1 ? results[0] : { results } }
  }

  #command(name: string, order: Order): Promise<Outcome> {
    const commands: Readonly<Record<string, () => Promise<Outcome>>> = {
      ping: async () => ({ data: { boot: this.#parts.boot, at: Date.now() } }),
      'service/add': () => this.#add(order),
      'service/remove': () => this.#remove(order),
      'models/list': async () => ({ data: (await this.#parts.store.list()).map(modelView) }),
      'models/pull': () => this.#pull(order),
    }
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (command) return command()
    throw new AgentError(
      'NOT_FOUND',
      `no command '${name}' (known: ${Object.keys(commands).join(' ')})`,
    )
  }

  async #add({ args, guard, replace = false }: Order): Promise<Outcome> {
    const { limits, defaultModel } = this.#parts
    const { value, unknown } = checked('$cmd/service/add', ServiceAdd, args)
    const { service: id, ...named } = value
    const { model, outputs } = newService(defaultModel).desired
    const unnamed = { model: { model: model.id, device: model.device }, input: {}, output: outputs }
    const section = replace ? { ...unnamed, ...named } : named
    if (section.model !== undefined) {
      const desired = this.services.get(id)?.state.desired
      await this.#checkModel(readModel(section.model).value, desired)
    }
    const running = this.services.get(id)
    guard?.(running)
    if (running) {
      for (const event of sectionEvents(running.state.desired, section, limits, replace))
        running.dispatch(event)
      if (section.compute) running.dispatch({ type: `compute/${section.compute}` })
    } else {
      this.#services.add(id, applySection(newService(defaultModel), section, limits))
    }
    await this.#services.saved
    return { unknown }
  }

  async #remove({ args, guard }: Order): Promise<Outcome> {
    const { value, unknown } = checked('$cmd/service/remove', ServiceRemove, args)
    guard?.(this.#services.named(value.service))
    await this.#services.remove(value.service)
    return { unknown }
  }

  async #pull({ args, progress }: Order): Promise<Outcome> {
    const { value, unknown } = checked('$cmd/models/pull', ModelsPull, args)
    const { manifest, sha256 } = await this.#parts.store.ensure(value.model, {
      ...(progress ? { onProgress: progress } : {}),
    })
    return { unknown, data: { model: manifest.id, sha256 } }
  }
}
