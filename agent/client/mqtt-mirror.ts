import { type AddressBook, agentTopic } from '../../schemas/address.ts'
import type { ServiceView } from '../../schemas/http.ts'
import type { AgentInfo, ServicePhase } from '../../schemas/state.ts'
import { type ClientParts, patience } from './agent-client.ts'
import { meantService } from './default-service.ts'
import type { MqttLink } from './mqtt-link.ts'
import { tooLate } from './unreachable.ts'

/** What the agent's retained topics say, kept up to date. */
export interface Mirror {
  /** @throws AgentError TIMEOUT, AGENT_UNREACHABLE */
  info(): Promise<AgentInfo>
  services(): Promise<readonly ServiceView[]>
  /** Without a name, the default one. @throws AgentError NOT_FOUND, CONFLICT */
  service(named?: string): Promise<ServiceView>
  /** Resolves when a service is there, complete, or gone. */
  settled(service: string, there: boolean): Promise<void>
}

/** Each service retains all of these. */
const everyService = ['input', 'output', 'model', 'state'] as const

/** Begins to listen. What is read waits until all of it has come. */
export async function mirror(
  link: MqttLink,
  book: AddressBook,
  parts: ClientParts,
): Promise<Mirror> {
  const retained = new Map<string, unknown>()
  const lookers = new Set<() => void>()
  const prefix = agentTopic(book, '')
  link.onMessage(({ topic, payload }) => {
    const path = topic.slice(prefix.length)
    if (!topic.startsWith(prefix) || !isRetained(path)) return
    if (payload.length === 0) retained.delete(path)
    else retained.set(path, JSON.parse(Buffer.from(payload).toString('utf8')))
    for (const look of lookers) look()
  })
  // In this order they are replayed: with the last of them, streams have come, too.
  await link.subscribe([...filters, '$info'].map((path) => agentTopic(book, path)))
  const until = (passes: () => boolean): Promise<void> => {
    const ready = new Promise<void>((resolve) => {
      const look = (): void => {
        if (!passes()) return
        lookers.delete(look)
        resolve()
      }
      lookers.add(look)
      look()
    })
    return inTime(ready, link, parts)
  }
  const ids = () => (retained.get('$info') as AgentInfo | undefined)?.services
  const has = (id: string) => everyService.every((path) => retained.has(`${id}/${path}`))
  const complete = () => until(() => ids()?.every(has) ?? false)
  const view = (id: string) => viewOf(retained, id)
  return {
    async info() {
      await complete()
      return retained.get('$info') as AgentInfo
    },
    async services() {
      await complete()
      return (ids() ?? []).map(view)
    },
    async service(named) {
      await complete()
      return view(meantService(ids() ?? [], named))
    },
    settled: (id, there) =>
      until(() => (there ? has(id) : !has(id)) && (ids() ?? []).includes(id) === there),
  }
}

const filters = [...everyService.map((path) => `+/${path}`), '+/stream/+/+']

function isRetained(path: string): boolean {
  if (path === '$info') return true
  const [, first = '', ...rest] = path.split('/')
  if (first === 'stream') return rest.length === 2
  return rest.length === 0 && everyService.some((name) => name === first)
}

async function inTime(ready: Promise<void>, link: MqttLink, parts: ClientParts): Promise<void> {
  const ms = patience(parts, 'quick')
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const what = 'reading what the agent retains'
    timer = setTimeout(() => reject(tooLate(parts.url, ms, what)), ms)
  })
  try {
    await Promise.race([ready, late, link.lost])
  } finally {
    clearTimeout(timer)
  }
}

function viewOf(retained: ReadonlyMap<string, unknown>, service: string): ServiceView {
  const part = <P extends keyof ServiceView>(path: P) =>
    retained.get(`${service}/${path}`) as ServiceView[P]
  const state = part('state')
  const prefix = `${service}/stream/`
  const streams = [...retained].flatMap(([path, stream]) =>
    path.startsWith(prefix) ? [[path.slice(prefix.length), stream] as const] : [],
  )
  return {
    service,
    compute: wantedBy(state.state),
    state,
    input: part('input'),
    output: part('output'),
    model: part('model'),
    streams: Object.fromEntries(streams) as ServiceView['streams'],
  }
}

/** No topic says what is wanted; a service that is idle or stopping is not wanted to run. */
function wantedBy(phase: ServicePhase): ServiceView['compute'] {
  return phase === 'idle' || phase === 'stopping' ? 'stop' : 'start'
}
