import type { ComputeRequest, ServiceAdd } from '../../schemas/control.ts'
import type { ModelView, Pong, PulledModel, ServiceView } from '../../schemas/http.ts'
import { AgentError } from '../core/errors.ts'
import type {
  AgentClient,
  Change,
  ClientParts,
  Part,
  PartChange,
  PartViews,
  PullProgress,
  SettablePart,
  Whom,
} from './agent-client.ts'
import { computed } from './computed.ts'
import { findAgent } from './mqtt-agents.ts'
import { type Ask, asking } from './mqtt-asking.ts'
import { mqttLink } from './mqtt-link.ts'
import { type Mirror, mirror } from './mqtt-mirror.ts'
import { inferInside } from './mqtt-upload.ts'
import { watchTopics } from './mqtt-watch.ts'

/** An agent over MQTT: envelopes for what is asked, retained topics for what is. */
export async function mqttClient(parts: ClientParts): Promise<AgentClient> {
  const link = await mqttLink(parts)
  try {
    const book = await findAgent(link, parts)
    const ask = await asking(link, book, parts)
    const seen = await mirror(link, book, parts)
    const named = async ({ service }: Whom = {}) => (await seen.service(service)).service
    return {
      ...reading(seen),
      ...changing(seen, ask),
      ping: async () => (await ask({ path: '$cmd/ping', args: {} })) as Pong,
      infer: (uploads, how = {}) => inferInside(ask, () => named(how), uploads, how),
      async draw() {
        throw onlyHttp('a drawn picture (--draw)')
      },
      models: async () => (await ask({ path: '$cmd/models/list', args: {} })) as ModelView[],
      async pull(model, progress) {
        const tell = (data: unknown) => progress?.(data as PullProgress)
        const path = '$cmd/models/pull'
        return (await ask({ path, args: { model }, work: 'long', progress: tell })) as PulledModel
      },
      watch: async (watched, take) =>
        watchTopics({ parts, book, service: await named(watched) }, watched, take),
      close: () => link.close(),
    }
  } catch (error) {
    await link.close()
    throw error
  }
}

type Reading = Pick<AgentClient, 'info' | 'services' | 'service' | 'get'>

function reading(seen: Mirror): Reading {
  return {
    info: () => seen.info(),
    services: () => seen.services(),
    service: async (whom = {}) => ({ value: await seen.service(whom.service) }),
    get: async <P extends Part>(part: P, whom: Whom = {}) => ({
      value: partOf(await seen.service(whom.service), part),
    }),
  }
}

type Changing = Pick<AgentClient, 'set' | 'compute' | 'addService' | 'removeService'>

function changing(seen: Mirror, ask: Ask): Changing {
  return {
    async set<P extends SettablePart>(part: P, value: unknown, change: PartChange = {}) {
      const before = await seen.service(checked(change).service)
      const args = change.replace ? replacing(part, value, before) : value
      await ask({ path: `${before.service}/${part}/set`, args })
      return { value: partOf(await seen.service(before.service), part) }
    },
    async compute(request: ComputeRequest, change: Change = {}) {
      const { service } = await seen.service(checked(change).service)
      const work = request.action === 'once' ? 'long' : 'quick'
      const data = await ask({ path: `${service}/compute`, args: request, work })
      if (data !== undefined) return computed(data)
      return { view: partOf(await seen.service(service), 'compute') }
    },
    async addService(service: ServiceAdd) {
      const there = (await seen.services()).map((one) => one.service)
      if (there.includes(service.service)) {
        throw new AgentError('CONFLICT', 'a service of this name is there already; change it')
      }
      await ask({ path: '$cmd/service/add', args: service })
      await seen.settled(service.service, true)
      return seen.service(service.service)
    },
    async removeService(service, change = {}) {
      checked(change)
      await ask({ path: '$cmd/service/remove', args: { service } })
      await seen.settled(service, false)
    },
  }
}

function partOf<P extends Part>(view: ServiceView, part: P): PartViews[P] {
  const { compute, state, streams, input, output, model } = view
  const parts: PartViews = { input, output, model, compute: { compute, state, streams } }
  return parts[part]
}

/** A merge patch that also removes what it does not name: a topic knows no other way to replace. */
function replacing(part: SettablePart, value: unknown, before: ServiceView): unknown {
  if (part === 'model') throw onlyHttp('replacing the options of a model (--replace)')
  const isMap = typeof value === 'object' && value !== null
  if (!isMap || ('url' in value && typeof value.url === 'string')) return value
  const others = Object.keys(before[part]).map((id) => [id, null])
  return { ...Object.fromEntries(others), ...value }
}

/** @throws AgentError CONFIG_INVALID: no topic takes a condition */
function checked<C extends Change>(change: C): C {
  if (change.ifMatch !== undefined) throw onlyHttp('a condition (--if-match)')
  return change
}

function onlyHttp(what: string): AgentError {
  return new AgentError('CONFIG_INVALID', `${what} needs HTTP: use --url http://…`)
}
