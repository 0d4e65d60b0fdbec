import type { ComputeRequest, ServiceAdd } from '../../schemas/control.ts'
import type { ModelView, Pong, PulledModel, ServiceView } from '../../schemas/http.ts'
import type { Result } from '../../schemas/results.ts'
import type { AgentInfo } from '../../schemas/state.ts'
import { AgentError } from '../core/errors.ts'
import {
  type AgentClient,
  type Change,
  type ClientParts,
  type Part,
  type PartViews,
  patience,
  type SettablePart,
  type Tagged,
  type Whom,
} from './agent-client.ts'
import { computed } from './computed.ts'
import { meantService } from './default-service.ts'
import { type Exchange, exchange, type Server, serverOf, textOf } from './http-exchange.ts'
import { drawUpload, inferUploads } from './http-upload.ts'
import { watchEvents } from './http-watch.ts'
import { shownAddress } from './unreachable.ts'

type Asked = Omit<Exchange, 'timeoutMs' | 'body'> & {
  readonly json?: unknown
  readonly work?: 'quick' | 'long'
}

/** An agent over its HTTP interface. */
export function httpClient(parts: ClientParts): AgentClient {
  const server = serverOf(parts)
  const ask = <T>(asked: Asked): Promise<Tagged<T>> => asking<T>(server, parts, asked)
  const get = async <T>(path: string): Promise<T> => (await ask<T>({ method: 'GET', path })).value
  const services = () => get<ServiceView[]>('/services')
  const named = async (whom: Whom = {}): Promise<string> =>
    whom.service ?? meantService((await services()).map(({ service }) => service))
  const service = async (whom?: Whom) =>
    ask<ServiceView>({ method: 'GET', path: pathOf({ service: await named(whom) }) })
  return {
    ping: () => get<Pong>('/ping'),
    info: () => get<AgentInfo>('/info'),
    services,
    service,
    get: <P extends Part>(part: P, whom?: Whom) =>
      ask<PartViews[P]>({ method: 'GET', path: pathOf(whom, `/${part}`) }),
    set: <P extends SettablePart>(
      part: P,
      value: unknown,
      { replace = false, ...change }: Change & { readonly replace?: boolean } = {},
    ) =>
      ask<PartViews[P]>({
        method: replace ? 'PUT' : 'PATCH',
        path: pathOf(change, `/${part}`),
        headers: ifMatch(change),
        json: value,
      }),
    async compute(request: ComputeRequest, change: Change = {}) {
      const path = pathOf(change, '/compute')
      const headers = ifMatch(change)
      const work = request.action === 'once' ? 'long' : 'quick'
      const { value } = await ask({ method: 'PUT', path, headers, json: request, work })
      return computed(value)
    },
    infer: (uploads, how = {}): AsyncIterable<Result> =>
      inferUploads({ server, parts, path: pathOf(how, '/compute'), how }, uploads),
    draw: (upload, how = {}) =>
      drawUpload({ server, parts, path: pathOf(how, '/compute'), how }, upload),
    addService: async (json: ServiceAdd) =>
      (await ask<ServiceView>({ method: 'POST', path: '/services', json })).value,
    async removeService(id, change = {}) {
      const path = pathOf({ service: id })
      await ask({ method: 'DELETE', path, headers: ifMatch(change) })
    },
    models: () => get<ModelView[]>('/models'),
    async pull(model) {
      const json = { model }
      return (await ask<PulledModel>({ method: 'POST', path: '/models', json, work: 'long' })).value
    },
    watch: async (watched, take) =>
      watchEvents({ server, parts, service: await named(watched), watched }, take),
    close: async () => server.connections.destroy(),
  }
}

/** One call that answers in JSON, or with nothing. */
async function asking<T>(server: Server, parts: ClientParts, asked: Asked): Promise<Tagged<T>> {
  const { json, work = 'quick', ...wanted } = asked
  const response = await exchange(server, {
    ...wanted,
    timeoutMs: patience(parts, work),
    ...(json === undefined ? {} : { body: jsonBody(json) }),
  })
  const ignored = response.headers['heliograph-ignored-fields']
  if (ignored !== undefined) parts.notice?.(`unknown fields were ignored: ${ignored}`)
  const { etag } = response.headers
  const value = read<T>(parts.url, await textOf(server, response))
  return { value, ...(etag === undefined ? {} : { etag }) }
}

function read<T>(url: URL, text: string): T {
  if (text === '') return undefined as T
  try {
    return JSON.parse(text)
  } catch (cause) {
    const message = `${shownAddress(url)} answers, but not as an agent does: no JSON came back`
    throw new AgentError('AGENT_UNREACHABLE', message, { cause })
  }
}

function jsonBody(json: unknown): NonNullable<Exchange['body']> {
  const bytes = Buffer.from(JSON.stringify(json))
  async function* content() {
    yield bytes
  }
  return { type: 'application/json', bytes: bytes.length, content: content() }
}

function pathOf({ service }: Whom = {}, rest = ''): string {
  return service === undefined ? rest : `/services/${encodeURIComponent(service)}${rest}`
}

function ifMatch({ ifMatch: tag }: Change): Record<string, string> {
  return tag === undefined ? {} : { 'if-match': tag }
}
