import { randomUUID } from 'node:crypto'
import type { Result } from '../../schemas/results.ts'
import { AgentError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'
import type { Once, OnceAnswer } from '../service/messages.ts'
import { type OnceAnswers, onceAnswers } from './once-answers.ts'

/** What is asked of a service: results of one source, now. */
export type OnceRequest = Omit<Once, 'request'>

/** How it is asked. */
export interface OnceOptions {
  /** Ends the request: whoever waits for an answer gets TIMEOUT (`AbortSignal.timeout`) or CONFLICT. */
  readonly signal?: AbortSignal
}

/** How many requests a service works on at once, and how many further ones wait. */
export interface OnceLimits {
  readonly onceConcurrency: number
  readonly onceQueue: number
}

/** What requests need of their service. */
export interface OnceRequestsParts {
  readonly limits: OnceLimits
  /** How long nothing may move, neither an answer come nor be taken, ms; waiting for a turn counts. */
  readonly timeoutMs: number
  /** Requests that the service has begun and not ended. */
  underWay(): number
  begin(once: Once): void
  cancel(request: string): void
  /** An answer was taken: the service may send another. */
  taken(request: string): void
}

/** For `OnceRequestsParts.timeoutMs`, and of all the answers of an MQTT request together. */
export const ONCE_TIMEOUT_MS = 60_000
/** Results that one list carries, at most: more belong into an input of the service. */
const MAX_LISTED = 1000

interface Open {
  readonly once: Once
  readonly answers: OnceAnswers
  readonly idle: NodeJS.Timeout
}

/** The requests of one service, from being asked to their last answer: first come, first served. */
export class OnceRequests {
  readonly #parts: OnceRequestsParts
  /** Those that somebody wants answers of. */
  readonly #open = new Map<string, Open>()
  #waiting: readonly Once[] = []
  #closed: AgentError | undefined

  constructor(parts: OnceRequestsParts) {
    this.#parts = parts
  }

  /**
   * Asks, when the first answer is pulled. An answer counts as taken when the next one is asked for; leaving
   * the loop ends the request.
   * @throws AgentError LIMIT_EXCEEDED (too many wait), TIMEOUT, SERVICE_CRASHED, CONFLICT, and what the source raises
   */
  async *ask(
    wanted: OnceRequest,
    { signal }: OnceOptions = {},
  ): AsyncGenerator<OnceAnswer, void, void> {
    const { once, answers } = this.#enter(wanted)
    const { request } = once
    const abort = (): void => this.#abandon(request, abandoned(signal?.reason))
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted) abort()
    try {
      for (let answer = await answers.next(); answer; answer = await answers.next()) {
        yield answer
        this.#taken(request)
      }
    } finally {
      signal?.removeEventListener('abort', abort)
      this.#abandon(request, abandoned())
    }
  }

  /** The service gave an answer. */
  answered(request: string, answer: OnceAnswer): void {
    const open = this.#open.get(request)
    open?.idle.refresh()
    open?.answers.push(answer)
  }

  /** The service is done with a request, or could not carry it out. */
  over(request: string, error?: AgentError): void {
    this.#close(request)?.answers.end(error)
  }

  /** Begins those that wait, as far as there is room. */
  admit(): void {
    while (this.#parts.underWay() < this.#parts.limits.onceConcurrency) {
      const [next, ...others] = this.#waiting
      if (!next) return
      this.#waiting = others
      this.#parts.begin(next)
    }
  }

  /** Ends all of them, and refuses further ones. */
  close(error: AgentError): void {
    this.#closed = error
    this.#waiting = []
    for (const request of [...this.#open.keys()]) this.over(request, error)
  }

  #enter(wanted: OnceRequest): Open {
    if (this.#closed) throw this.#closed
    const { limits, timeoutMs, underWay } = this.#parts
    const { onceConcurrency, onceQueue } = limits
    if (underWay() >= onceConcurrency && this.#waiting.length >= onceQueue) {
      const message = `${onceConcurrency} requests are under way and ${onceQueue} wait already (settings limits.onceConcurrency, limits.onceQueue)`
      throw new AgentError('LIMIT_EXCEEDED', message, { retryable: true })
    }
    const once = { ...wanted, request: randomUUID() }
    const late = (): void => this.#abandon(once.request, nothingMoved(once, timeoutMs))
    const open = { once, answers: onceAnswers(), idle: setTimeout(late, timeoutMs) }
    this.#open.set(once.request, open)
    this.#waiting = [...this.#waiting, once]
    this.admit()
    return open
  }

  #taken(request: string): void {
    const open = this.#open.get(request)
    open?.idle.refresh()
    if (open) this.#parts.taken(request)
  }

  #abandon(request: string, error: AgentError): void {
    const open = this.#close(request)
    if (!open) return
    open.answers.abandon(error)
    const others = this.#waiting.filter((once) => once.request !== request)
    const waited = others.length < this.#waiting.length
    this.#waiting = others
    if (!waited) this.#parts.cancel(request)
  }

  #close(request: string): Open | undefined {
    const open = this.#open.get(request)
    clearTimeout(open?.idle)
    this.#open.delete(request)
    return open
  }
}

/**
 * All results of a request in one list.
 * @param ask is given the signal that ends the request when the list takes too long
 * @throws AgentError LIMIT_EXCEEDED past 1000 results; TIMEOUT after 60 s; as `OnceRequests.ask`
 */
export async function listed(
  ask: (options: OnceOptions) => AsyncIterable<OnceAnswer>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  for await (const { result } of ask({ signal: AbortSignal.timeout(ONCE_TIMEOUT_MS) })) {
    if (results.length >= MAX_LISTED) {
      const message = `'once' gives ${MAX_LISTED} results at most; set it as an input instead`
      throw new AgentError('LIMIT_EXCEEDED', message)
    }
    results.push(result)
  }
  return results
}

function abandoned(reason?: unknown): AgentError {
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    const message = `'once' gave not all of its results in time`
    return new AgentError('TIMEOUT', message, { retryable: true })
  }
  return new AgentError('CONFLICT', 'the request was ended by who made it')
}

function nothingMoved({ spec, upload }: Once, ms: number): AgentError {
  const name = upload ? 'the upload' : `'${redact(spec.url).slice(0, 200)}'`
  const message = `'once' of ${name} stood still for ${ms / 1000} s`
  return new AgentError('TIMEOUT', message, { retryable: true })
}
