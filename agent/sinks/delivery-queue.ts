import { setTimeout as sleep } from 'node:timers/promises'
import { AgentError } from '../core/errors.ts'
import { backoffMs } from '../pipeline/backoff.ts'

/** How an attempt to deliver went. */
export type Outcome =
  | { readonly kind: 'delivered' }
  /** To be tried again, after `waitMs` where the destination says so. */
  | { readonly kind: 'later'; readonly error: AgentError; readonly waitMs?: number }
  /** The destination does not want this one; the next may do better. */
  | { readonly kind: 'refused'; readonly error: AgentError }
  /** There is no use in going on. */
  | { readonly kind: 'hopeless'; readonly error: AgentError }

/** One delivery: its size in memory, and how it is attempted. */
export interface Delivery {
  readonly bytes: number
  attempt(): Promise<Outcome>
}

/** What a queue is made with. */
export interface QueueParts {
  readonly maxCount: number
  readonly maxBytes: number
  /** As in `SinkContext`. */
  troubled(error?: AgentError): void
}

interface Waiting extends Delivery {
  resolve(): void
  reject(error: AgentError): void
}

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 15_000

/**
 * Delivers one after another, in order, and tries again while the destination is away. Past its bounds the
 * oldest that is not under way is given up (LIMIT_EXCEEDED).
 */
export class DeliveryQueue {
  readonly #parts: QueueParts
  readonly #stopped = new AbortController()
  #waiting: Waiting[] = []
  #bytes = 0
  #troubles = 0
  #running: Promise<void> | undefined

  constructor(parts: QueueParts) {
    this.#parts = parts
  }

  /** Settles when it is delivered, or given up. */
  add(delivery: Delivery): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#stopped.signal.aborted) {
        reject(this.#stopped.signal.reason)
        return
      }
      this.#waiting.push({
        bytes: delivery.bytes,
        attempt: () => delivery.attempt(),
        resolve,
        reject,
      })
      this.#bytes += delivery.bytes
      this.#makeRoom()
      this.#running ??= this.#run()
    })
  }

  /** Gives `ms` to what waits, none while the destination is away, and gives up the rest with `error`. */
  async close(ms: number, error: AgentError): Promise<void> {
    if (this.#running && this.#troubles === 0) {
      const late = new AbortController()
      const tooLate = sleep(ms, undefined, { signal: late.signal }).catch(() => undefined)
      await Promise.race([this.#running, tooLate])
      late.abort()
    }
    this.#end(error)
  }

  async #run(): Promise<void> {
    for (;;) {
      const [next] = this.#waiting
      if (!next) {
        this.#running = undefined
        return
      }
      const outcome = await next.attempt()
      if (this.#stopped.signal.aborted) return
      await this.#settle(next, outcome)
    }
  }

  async #settle(delivery: Waiting, outcome: Outcome): Promise<void> {
    if (outcome.kind === 'delivered') {
      this.#take(delivery)?.resolve()
      if (this.#troubles > 0) this.#parts.troubled()
      this.#troubles = 0
      return
    }
    if (outcome.kind === 'hopeless') {
      this.#end(outcome.error)
      return
    }
    this.#parts.troubled(outcome.error)
    if (outcome.kind === 'refused') this.#take(delivery)?.reject(givenUp(outcome.error.message))
    const asked = outcome.kind === 'later' ? (outcome.waitMs ?? 0) : 0
    const own = backoffMs(this.#troubles++, Math.random(), FIRST_WAIT_MS, LONGEST_WAIT_MS)
    const { signal } = this.#stopped
    await sleep(Math.max(own, asked), undefined, { signal }).catch(() => undefined)
  }

  #take(delivery: Waiting): Waiting | undefined {
    const index = this.#waiting.indexOf(delivery)
    if (index < 0) return undefined
    this.#waiting.splice(index, 1)
    this.#bytes -= delivery.bytes
    return delivery
  }

  #makeRoom(): void {
    const { maxCount, maxBytes } = this.#parts
    while (
      this.#waiting.length > 1 &&
      (this.#waiting.length > maxCount || this.#bytes > maxBytes)
    ) {
      const oldest = this.#waiting[1]
      if (!oldest) return
      this.#take(oldest)?.reject(
        givenUp(`more than ${maxCount} results or ${maxBytes} bytes wait for the destination`),
      )
    }
  }

  #end(error: AgentError): void {
    this.#stopped.abort(error)
    for (const { reject } of this.#waiting.splice(0)) reject(error)
    this.#bytes = 0
  }
}

const givenUp = (why: string): AgentError => new AgentError('LIMIT_EXCEEDED', `given up: ${why}`)
