import type { EventPlace } from './event-place.ts'

/** The stream's own events, beside those of the agent. */
export type Notice = 'gap' | 'dropped'

/** Sent while nothing happens, so that proxies and clients see that the connection lives. */
export const HEARTBEAT = ':\n\n'

/** Tells a client how long to wait before it connects again, ms. */
export const retryFrame = (ms: number): string => `retry: ${ms}\n\n`

/** Moves a client's last event id on without an event. */
export const idFrame = (id: string): string => `id: ${id}\n\n`

/** One of the stream's own events. */
export const noticeFrame = (notice: Notice, data: object): string =>
  `event: ${notice}\ndata: ${JSON.stringify(data)}\n\n`

/**
 * One event as server-sent events have it: JSON in one line that says where it was published and what,
 * unchanged; an empty payload (what was retained is no more) is null.
 * @param id absent: the client's last event id stays
 */
export function eventFrame(place: EventPlace, payload: Uint8Array | string, id?: string): Buffer {
  const { service, topic, kind } = place
  const where = JSON.stringify(service === undefined ? { topic } : { service, topic })
  const head = `${id === undefined ? '' : `id: ${id}\n`}event: ${eventType(kind)}\n`
  return packed([`${head}data: ${where.slice(0, -1)},"payload":`, inOneLine(payload), '}\n\n'])
}

/** `error` is what an EventSource calls the loss of its connection. */
function eventType(kind: string): string {
  return kind === 'error' ? 'fault' : kind
}

/** Line breaks lie between JSON's tokens only, and would end the field. */
function inOneLine(payload: Uint8Array | string): Uint8Array | string {
  if (payload.length === 0) return 'null'
  if (typeof payload === 'string') return payload.replace(/[\r\n]/g, ' ')
  if (!payload.includes(0x0a) && !payload.includes(0x0d)) return payload
  return payload.map((byte) => (byte === 0x0a || byte === 0x0d ? 0x20 : byte))
}

/** One after another in memory of their own: a slice of a pool would keep the whole pool from being freed. */
function packed(parts: readonly (Uint8Array | string)[]): Buffer {
  const all = parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))
  const frame = Buffer.allocUnsafeSlow(all.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of all) {
    frame.set(part, at)
    at += part.length
  }
  return frame
}
