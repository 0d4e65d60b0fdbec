import { linesOf } from './lines.ts'

/** One server-sent event. */
export interface ServerSentEvent {
  /** `message` where the server names none. */
  readonly type: string
  readonly data: string
}

/** What a stream says besides its events. */
export interface StreamHints {
  /** How long to wait before connecting again, ms. */
  retry(ms: number): void
  /** Where to resume, also where no event came with it. */
  id(id: string): void
}

/** Reads server-sent events (HTML, 9.2.6); an event that is not complete at the end is dropped. */
export async function* serverSentEvents(
  chunks: AsyncIterable<Uint8Array>,
  hints: StreamHints,
  lastId = '',
): AsyncGenerator<ServerSentEvent> {
  let id = lastId
  let type = ''
  let data: string[] = []
  const take: Readonly<Record<string, (value: string) => void>> = {
    event: (value) => {
      type = value
    },
    data: (value) => void data.push(value),
    id: (value) => {
      if (!value.includes('\0')) id = value
    },
    retry: (value) => {
      if (/^\d+$/.test(value)) hints.retry(Number(value))
    },
  }
  for await (const line of linesOf(chunks)) {
    if (line !== '') {
      const [name, value] = fieldOf(line)
      if (Object.hasOwn(take, name)) take[name]?.(value)
      continue
    }
    hints.id(id)
    if (data.length > 0) yield { type: type || 'message', data: data.join('\n') }
    type = ''
    data = []
  }
}

/** A line that begins with a colon is a comment: a field without a name. */
function fieldOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  if (colon < 0) return [line, '']
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')]
}
