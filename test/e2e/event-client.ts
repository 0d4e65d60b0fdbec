import { once } from 'node:events'
import { type ClientRequest, get, type IncomingMessage } from 'node:http'
import { inbox } from '../broker/harness.ts'

/** One event as a client of server-sent events sees it. */
export interface ServerEvent {
  readonly type: string
  /** Of the last event that had an id, this one or an earlier one. */
  readonly id: string
  readonly data: ReturnType<typeof JSON.parse>
}

/** A connection to an event stream. */
export interface EventClient {
  readonly response: IncomingMessage
  readonly events: ReturnType<typeof inbox<ServerEvent>>
  /** The first event from now or from `since` on that passes. */
  next(passes: (event: ServerEvent) => boolean, since?: number): Promise<ServerEvent>
  /** As EventSource has it. */
  readonly lastId: string
  /** Settles when the stream is over, whoever ended it. */
  readonly closed: Promise<unknown>
  leave(): void
}

/** Connects; reads as the standard says (https://html.spec.whatwg.org, 9.2.6). */
export async function eventClient(
  url: string,
  headers: Record<string, string> = {},
): Promise<EventClient> {
  const request: ClientRequest = get(url, { headers, agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const events = inbox<ServerEvent>()
  let lastId = headers['last-event-id'] ?? ''
  let rest = ''
  let fields: Record<string, string> = {}
  const line = (text: string): void => {
    if (text === '') {
      if (fields.id !== undefined) lastId = fields.id
      if (fields.data !== undefined) {
        const data = JSON.parse(fields.data)
        events.add({ type: fields.event ?? 'message', id: lastId, data })
      }
      fields = {}
      return
    }
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(text) ?? []
    if (name === 'data' && fields.data !== undefined) fields.data += `\n${value}`
    else fields[name] = value
  }
  response.setEncoding('utf8')
  response.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const one of lines) line(one)
  })
  response.on('error', () => undefined)
  const closed = new Promise((resolve) => response.once('close', resolve))
  return {
    response,
    events,
    closed,
    get lastId() {
      return lastId
    },
    async next(passes, since = events.items.length) {
      const found = (items: readonly ServerEvent[]) => items.slice(since).find(passes)
      const items = await events.until((all) => found(all) !== undefined)
      return found(items) as ServerEvent
    },
    leave: () => void request.destroy(),
  }
}
