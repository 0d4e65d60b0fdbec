import { type AddressBook, replyPrefix } from '../../schemas/address.ts'
import { check, type Decoded, parseJson } from '../../schemas/decode.ts'
import { Envelope } from '../../schemas/envelope.ts'
import type { Arrival } from '../core/bus.ts'
import { AgentError } from '../core/errors.ts'

/** Longer texts are no URLs. */
const MAX_TEXT_BYTES = 65_536

/** A message that asks for something, its envelope taken off. */
export interface Request {
  readonly topic: string
  /** What it carries: JSON, or text where the payload is no JSON; nothing when it is empty. */
  readonly args: unknown
  readonly id?: string
  readonly replyTo?: string
}

/** What became of reading a message; a problem can still be answered where the caller is looking. */
export type ReadRequest =
  | { readonly ok: true; readonly request: Request; readonly unknown: readonly string[] }
  | {
      readonly ok: false
      readonly error: AgentError
      readonly id?: string
      readonly replyTo?: string
    }

/** What a payload says: JSON, or text that does not begin like JSON: a URL, a model's id, `stop`. Never throws. */
export function readPayload(payload: Uint8Array): Decoded<unknown> {
  if (payload.byteLength === 0) return { ok: true, value: undefined, unknown: [] }
  const json = parseJson(payload)
  if (json.ok) return json
  const text = Buffer.from(payload).toString('utf8').trim()
  const isText = payload.byteLength <= MAX_TEXT_BYTES && !/^[{["]|[\p{Cc}\ufffd]/u.test(text)
  return isText ? { ok: true, value: text, unknown: [] } : json
}

/** Reads a control message: bare, or in an envelope. Never throws. */
export function readRequest(arrival: Arrival, book: AddressBook): ReadRequest {
  const { topic } = arrival
  const read = readPayload(arrival.payload)
  if (!read.ok) {
    return { ok: false, error: new AgentError('MESSAGE_INVALID', `${topic}: ${read.problem}`) }
  }
  if (!isEnvelope(read.value))
    return { ok: true, request: { topic, args: read.value }, unknown: [] }
  return readEnvelope(arrival, read.value, book)
}

function isEnvelope(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && 'args' in value
}

function readEnvelope(arrival: Arrival, value: object, book: AddressBook): ReadRequest {
  const { topic } = arrival
  const decoded = check(Envelope, value)
  if (!decoded.ok) {
    const message = `${topic}: the envelope is wrong: ${decoded.problem}`
    return { ok: false, error: new AgentError('MESSAGE_INVALID', message) }
  }
  const { id, replyTo, args, ttlMs, deadline } = decoded.value
  const named = id === undefined ? {} : { id }
  if (replyTo !== undefined && !mayReplyTo(replyTo, book)) {
    const message = `replyTo '${replyTo}' is refused: it must lie below '${replyPrefix(book)}' and hold no wildcard`
    return { ok: false, error: new AgentError('NOT_AUTHORIZED', message), ...named }
  }
  const where = { ...named, ...(replyTo === undefined ? {} : { replyTo }) }
  const late = lateness(arrival, ttlMs, deadline)
  if (late)
    return { ok: false, error: new AgentError('DEADLINE_EXCEEDED', `${topic}: ${late}`), ...where }
  return { ok: true, request: { topic, args, ...where }, unknown: decoded.unknown }
}

/** An agent that publishes wherever it is told to is a confused deputy. */
function mayReplyTo(topic: string, book: AddressBook): boolean {
  const prefix = replyPrefix(book)
  return topic.startsWith(prefix) && topic.length > prefix.length && !/[+#\0]/.test(topic)
}

function lateness(arrival: Arrival, ttlMs?: number, deadline?: number): string | undefined {
  const age = performance.now() - arrival.arrivedAt
  if (ttlMs !== undefined && age > ttlMs) {
    return `it waited ${Math.ceil(age)} ms and its ttlMs is ${ttlMs}; it was not carried out`
  }
  if (deadline !== undefined && Date.now() > deadline) {
    return `its deadline ${deadline} passed ${Date.now() - deadline} ms ago; it was not carried out`
  }
  return undefined
}
