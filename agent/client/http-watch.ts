import { setTimeout as delay } from 'node:timers/promises'
import type { EventData } from '../../schemas/events.ts'
import { AgentError } from '../core/errors.ts'
import {
  type AgentEvent,
  type ClientParts,
  eventKinds,
  patience,
  type Watched,
} from './agent-client.ts'
import { type ServerSentEvent, serverSentEvents } from './event-stream.ts'
import { exchange, reading, type Server } from './http-exchange.ts'
import { checkOffered } from './http-offered.ts'
import { shownAddress } from './unreachable.ts'

/** What is watched, and where. */
export interface WatchPlace {
  readonly server: Server
  readonly parts: ClientParts
  readonly service: string
  readonly watched: Watched
}

const FIRST_RETRY_MS = 1000
const LONGEST_RETRY_MS = 15_000
/** Servers send a comment every 15 s: after longer silence the connection is dead. */
const SILENCE_MS = 60_000

/** Where a stream is resumed, and when. */
interface Resume {
  lastId: string
  retryMs: number
}

/** Takes server-sent events, resuming after what was seen last (`Last-Event-ID`). */
export async function watchEvents(
  place: WatchPlace,
  take: (event: AgentEvent) => Promise<void>,
): Promise<void> {
  const { parts, watched } = place
  const { signal } = watched
  const resume: Resume = { lastId: '', retryMs: FIRST_RETRY_MS }
  let connected = false
  let waitMs = 0
  const begun = (): void => {
    if (waitMs > 0) parts.notice?.('connected again')
    connected = true
    waitMs = 0
  }
  while (!signal.aborted) {
    let reason = `${shownAddress(parts.url)} ended the stream`
    try {
      for await (const event of stream(place, resume, begun)) await handOver(place, event, take)
    } catch (error) {
      if (signal.aborted) return
      if (!connected) await checkOffered(place.server, eventsOf(place), error)
      reason = passing(error, connected)
    }
    if (signal.aborted) return
    if (waitMs === 0) parts.notice?.(`${reason}; trying again …`)
    waitMs = Math.min(Math.max(waitMs * 2, resume.retryMs), LONGEST_RETRY_MS)
    await delay(waitMs, undefined, { signal }).catch(() => undefined)
  }
}

/** What is said of a failure that is worth another try. @throws what is not */
function passing(error: unknown, connected: boolean): string {
  const { retryable, message } = AgentError.from(error)
  if (connected && retryable) return message
  throw error
}

/** The events of one connection. */
async function* stream(
  place: WatchPlace,
  resume: Resume,
  begun: () => void,
): AsyncGenerator<ServerSentEvent> {
  const response = await request(place, resume)
  begun()
  const hints = {
    retry(ms: number): void {
      resume.retryMs = ms
    },
  }
  for await (const event of serverSentEvents(
    reading(place.server, response),
    hints,
    resume.lastId,
  )) {
    resume.lastId = event.id
    yield event
    if (place.watched.signal.aborted) return
  }
}

function eventsOf({ parts, service }: WatchPlace) {
  const path = `/services/${encodeURIComponent(service)}/events`
  return { method: 'GET', path, timeoutMs: patience(parts, 'quick') } as const
}

function request(place: WatchPlace, { lastId }: Resume) {
  const { server, parts, watched } = place
  const { kinds, input, signal } = watched
  const { method, path } = eventsOf(place)
  const query = new URLSearchParams({ topics: kinds.join(',') })
  if (input !== undefined) query.set('inputs', input)
  return exchange(server, {
    method,
    path: `${path}?${query}`,
    headers: {
      accept: 'text/event-stream',
      ...(lastId === '' ? {} : { 'last-event-id': lastId }),
    },
    timeoutMs: Math.max(SILENCE_MS, patience(parts, 'quick')),
    signal,
  })
}

async function handOver(
  { parts, service, watched }: WatchPlace,
  { type, data }: ServerSentEvent,
  take: (event: AgentEvent) => Promise<void>,
): Promise<void> {
  if (type === 'gap' || type === 'dropped') {
    parts.notice?.(`events were missed (${type}: ${data.slice(0, 200)})`)
    return
  }
  // EventSources know `error` as the loss of their connection.
  const kind = eventKinds.find((known) => known === (type === 'fault' ? 'error' : type))
  if (!kind || !watched.kinds.includes(kind)) return
  const { payload } = JSON.parse(data) as EventData
  const value = payload ?? undefined
  if (isOf(watched.input, value)) await take({ service, kind, data: value })
}

/** Whether it is about an input that is watched; what is about none passes. */
export function isOf(input: string | undefined, data: unknown): boolean {
  if (input === undefined || typeof data !== 'object' || data === null) return true
  return !('input' in data) || typeof data.input !== 'string' || data.input === input
}
