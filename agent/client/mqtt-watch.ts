import { type AddressBook, serviceTopic } from '../../schemas/address.ts'
import type { AgentEvent, ClientParts, EventKind, Watched } from './agent-client.ts'
import { isOf } from './event-input.ts'
import { mqttLink } from './mqtt-link.ts'

/** Where the events of a kind come, below the service's topic. */
const paths: Readonly<Record<EventKind, string>> = {
  detections: 'detections/+',
  event: 'event/+',
  state: 'state',
  stats: 'stats',
  input: 'input',
  output: 'output',
  model: 'model',
  stream: 'stream/+/+',
  error: 'error',
}

/** Takes events over a connection of its own, which comes back by itself. */
export async function watchTopics(
  { parts, book, service }: { parts: ClientParts; book: AddressBook; service: string },
  { kinds, input, signal }: Watched,
  take: (event: AgentEvent) => Promise<void>,
): Promise<void> {
  let isLost = false
  const link = await mqttLink(parts, {
    reconnect: {
      lost() {
        if (!isLost) parts.notice?.('the connection was lost; trying again …')
        isLost = true
      },
      back() {
        if (isLost) parts.notice?.('connected again')
        isLost = false
      },
    },
  })
  const prefix = serviceTopic(book, service, '')
  link.onMessage(async ({ topic, payload }) => {
    const path = topic.slice(prefix.length)
    const kind = kinds.find((one) => one === path.split('/')[0])
    if (!topic.startsWith(prefix) || !kind || signal.aborted || !isOf(input, path)) return
    const text = Buffer.from(payload).toString('utf8')
    const data: unknown = text === '' ? undefined : JSON.parse(text)
    await take({ service, kind, topic: path, data })
  })
  const over = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (signal.aborted) resolve()
  })
  try {
    await link.subscribe(kinds.map((kind) => serviceTopic(book, service, paths[kind])))
    await Promise.race([over, link.lost])
  } finally {
    await link.close()
  }
}
