import { type AddressBook, agentTopic, serviceTopic, topicRole } from '../../schemas/address.ts'
import type { Reply } from '../../schemas/envelope.ts'
import type { Arrival, Bus } from '../core/bus.ts'
import { AgentError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'
import { answers } from './answers.ts'
import { type Request, readRequest } from './request.ts'
import type { ServiceControl } from './service-control.ts'
import { errorEvent } from './service-topics.ts'

/** What carrying out a request gave. `unknown` names fields of the message that were ignored. */
export interface Outcome {
  readonly status?: 'ok' | 'accepted'
  readonly data?: unknown
  readonly unknown?: readonly string[]
}

/** Whom a control message addresses. */
export type Addressed =
  | {
      readonly service: string
      readonly name: 'input/set' | 'output/set' | 'model/set' | 'compute'
    }
  | { readonly command: string }

/** What is asked for. */
export interface Order {
  /** What the message carries, unchecked. */
  readonly args: unknown
  /** Whether results of `once` go to the caller alone, and not on the service's topics. */
  readonly answered: boolean
  /** A map of inputs or outputs replaces what is there; else it is a merge patch. */
  readonly replace?: boolean
  /** Called at the last moment, with the service if there is one; what it throws is the answer. */
  guard?(service: ServiceControl | undefined): void
  /** Told how far long work has come. */
  progress?(data: unknown): void
}

/** What the router needs. */
export interface RouterParts {
  readonly book: AddressBook
  readonly bus: Bus
  /** Carries out a request; @throws AgentError, which becomes the answer. */
  carryOut(addressed: Addressed, order: Order): Promise<Outcome>
  /** A retained command was refused. */
  retainedRefused(topic: string): void
}

/** Takes every control message from the bus, and answers each where its caller is looking. */
export class Router {
  readonly #parts: RouterParts
  readonly #answers = answers<Reply>()

  constructor(parts: RouterParts) {
    this.#parts = parts
    parts.bus.onControl((arrival) => this.#arrived(arrival))
    parts.bus.onRefused((arrival, reason) => this.#refused(arrival, reason))
  }

  #arrived(arrival: Arrival): void {
    const { book } = this.#parts
    const addressed = addressedBy(book, arrival.topic)
    if (!addressed) return
    const read = readRequest(arrival, book)
    if (!read.ok) {
      this.#failed({ ...read, topic: arrival.topic }, read.error)
      return
    }
    const { request } = read
    void this.#answerOf(addressed, request).then((answer) => this.#reply(request, answer))
  }

  #refused({ topic, retained }: Arrival, reason: string): void {
    this.#complain(topic, new AgentError('NOT_AUTHORIZED', `'${topic.slice(0, 300)}': ${reason}`))
    if (retained) this.#parts.retainedRefused(topic)
  }

  /** The same id is answered from memory, not done twice. */
  #answerOf(addressed: Addressed, request: Request): Promise<Reply> {
    if (request.id === undefined) return this.#carryOut(addressed, request)
    const key = `${request.topic}\n${request.replyTo ?? ''}\n${request.id}`
    const before = this.#answers.recall(key, performance.now())
    if (before) return before
    const answer = this.#carryOut(addressed, request)
    this.#answers.remember(key, answer, performance.now())
    return answer
  }

  async #carryOut(addressed: Addressed, request: Request): Promise<Reply> {
    const base = this.#base(request)
    const progress = (data: unknown): void =>
      this.#reply(request, { ...base, status: 'accepted', data })
    try {
      const {
        status = 'ok',
        data,
        unknown = [],
      } = await this.#parts.carryOut(addressed, {
        args: request.args,
        answered: request.replyTo !== undefined,
        progress,
      })
      return {
        ...base,
        status,
        ...this.#ignored(request, unknown),
        ...(data === undefined ? {} : { data }),
      }
    } catch (cause) {
      const error = AgentError.from(cause)
      if (!request.replyTo) this.#complain(request.topic, error)
      return { ...base, ...failure(error) }
    }
  }

  #ignored(request: Request, unknown: readonly string[]): { message?: string } {
    if (unknown.length === 0) return {}
    const message = `unknown fields were ignored: ${unknown.slice(0, 10).join(', ')}`
    if (request.replyTo) return { message }
    this.#complain(
      request.topic,
      new AgentError('MESSAGE_INVALID', `it was carried out, but ${message}`),
    )
    return {}
  }

  #failed(request: Pick<Request, 'topic' | 'id' | 'replyTo'>, error: AgentError): void {
    if (request.replyTo) this.#reply(request, { ...this.#base(request), ...failure(error) })
    else this.#complain(request.topic, error)
  }

  #base({ id }: Pick<Request, 'id'>): Pick<Reply, 'v' | 'id' | 'agent'> {
    return { v: 1, ...(id === undefined ? {} : { id }), agent: this.#parts.book.agent }
  }

  #reply({ replyTo }: Pick<Request, 'replyTo'>, answer: Reply): void {
    if (!replyTo) return
    this.#parts.bus.publish(replyTo, JSON.stringify(answer), { qos: 1, retain: false })
  }

  #complain(topic: string, error: AgentError): void {
    const { bus, book } = this.#parts
    const event = JSON.stringify(errorEvent(error, { topic }))
    bus.publish(errorTopic(book, topic), event, { qos: 1, retain: false })
  }
}

function failure({ code, message, retryable }: AgentError) {
  return { status: 'error', code, message: redact(message), retryable } as const
}

function addressedBy(book: AddressBook, topic: string): Addressed | undefined {
  const role = topicRole(book, topic)
  if (role.role === 'control') return { service: role.service, name: role.name }
  return role.role === 'command' ? { command: role.name } : undefined
}

/** Where the answer to a message without `replyTo` goes: the service's `error`, else the agent's `$error`. */
function errorTopic(book: AddressBook, topic: string): string {
  const role = topicRole(book, topic)
  const service = role.role === 'control' || role.role === 'own' ? role.service : undefined
  return service === undefined ? agentTopic(book, '$error') : serviceTopic(book, service, 'error')
}
