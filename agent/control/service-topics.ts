import { isDeepStrictEqual } from 'node:util'
import { type AddressBook, serviceTopic } from '../../schemas/address.ts'
import type { ErrorEvent } from '../../schemas/state.ts'
import type { Bus, Delivery } from '../core/bus.ts'
import type { AgentError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'

/** What an error event says besides its error. */
export type ErrorContext = Omit<Partial<ErrorEvent>, 'v' | 'code' | 'message' | 'at'>

/** Publishes on one service's topics. */
export interface ServiceTopics {
  /** A retained topic; nothing is sent when the value is what was sent before. */
  retain(path: string, value: object): void
  event(path: string, value: object, qos: 0 | 1): void
  bytes(path: string, payload: Uint8Array, qos: 0 | 1): void
  error(error: AgentError, context?: ErrorContext): void
  /** Removes what is retained on one topic. */
  forget(path: string): void
  /** Removes everything retained. */
  clear(): void
}

/** The topics of `service`. */
export function serviceTopics(bus: Bus, book: AddressBook, service: string): ServiceTopics {
  const retained = new Map<string, object>()
  const send = (path: string, payload: string | Uint8Array, delivery: Delivery): void =>
    bus.publish(serviceTopic(book, service, path), payload, delivery)
  const event = (path: string, value: object, qos: 0 | 1): void =>
    send(path, JSON.stringify(value), { qos, retain: false })
  const forget = (path: string): void => {
    if (retained.delete(path)) send(path, '', { qos: 1, retain: true })
  }
  return {
    retain(path, value) {
      if (isDeepStrictEqual(retained.get(path), value)) return
      retained.set(path, value)
      send(path, JSON.stringify(value), { qos: 1, retain: true })
    },
    event,
    bytes: (path, payload, qos) => send(path, payload, { qos, retain: false }),
    error: (error, context) => event('error', errorEvent(error, context), 1),
    forget,
    clear() {
      for (const path of [...retained.keys()]) forget(path)
    },
  }
}

/** An error as an event. Credentials are removed. */
export function errorEvent(error: AgentError, context: ErrorContext = {}): ErrorEvent {
  const { code, message, retryable } = error
  return { v: 1, code, message: redact(message), retryable, ...context, at: Date.now() }
}
