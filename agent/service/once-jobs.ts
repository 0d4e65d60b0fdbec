import { AgentError } from '../core/errors.ts'
import { type PixelBudget, pixelBudget } from '../core/pixel-budget.ts'
import type { Delivered, Source } from '../core/stages.ts'
import { PRIORITY_LANE } from '../pipeline/fair-queue.ts'
import type { Inferrer } from '../pipeline/results.ts'
import { slots } from '../pipeline/slots.ts'
import { annotated, type PictureFormat } from '../sinks/annotated.ts'
import type { CrashPlace, CrashRecord } from './crash-record.ts'
import { type Credit, credit } from './credit.ts'
import type { InputRunner } from './input-runner.ts'
import type { FromService, Once } from './messages.ts'
import { runOnce } from './once-runner.ts'

/** What requests for one result need of their service. */
export interface OnceJobsParts {
  readonly record: Pick<CrashRecord, 'place' | 'once'>
  /** Samples of one request that are alive at once. */
  readonly maxAlive: number
  /** Resolves when a request may begin, or its signal is aborted. */
  admitted(signal: AbortSignal): Promise<void>
  /** The input that is read under this id. */
  input(id: string): InputRunner | undefined
  /** @throws AgentError as `createSource` does */
  source(once: Once, place: CrashPlace, stills: PixelBudget | undefined): Source
  /** @param lane tells whose turn a run is, again for each run */
  inferrer(lane: () => string, place: CrashPlace): Inferrer
  publish(delivered: Delivered): void
  post(message: Extract<FromService, { request: string }>): void
}

/** Answers that main has not taken yet, at most: one is being taken, one waits, and the rest hides the way there. */
export const UNTAKEN = 4
/** Pictures that are drawn and encoded at once: each is a whole one in memory. */
const PICTURES_AT_ONCE = 3
/**
 * Uploaded stills that are in memory at once, at 3 bytes a pixel. Each gives one answer, and so waits for nobody who reads
 * answers: those of a list would, and hold up everybody else.
 */
const STILL_PIXELS = 100_000_000

interface Job {
  readonly abort: AbortController
  readonly credit: Credit
  readonly over: Promise<void>
}

/** The requests for one result that a service works on: each streams its answers and ends by itself. */
export class OnceJobs {
  readonly #parts: OnceJobsParts
  readonly #jobs = new Map<string, Job>()
  readonly #drawing = slots(PICTURES_AT_ONCE)
  readonly #stills = pixelBudget(STILL_PIXELS)
  readonly #idlePlaces: CrashPlace[] = []
  #places = 0

  constructor(parts: OnceJobsParts) {
    this.#parts = parts
  }

  /** Begins a request. Its answers are posted in order, then that it is over, or why it failed. */
  start(once: Once): void {
    const abort = new AbortController()
    const tickets = credit(UNTAKEN, abort.signal)
    const over = this.#carryOut(once, abort.signal, tickets)
    this.#jobs.set(once.request, { abort, credit: tickets, over })
    void over.finally(() => this.#jobs.delete(once.request))
  }

  /** Main took one answer. */
  taken(request: string): void {
    this.#jobs.get(request)?.credit.give()
  }

  /** Ends a request soon; that it is over is posted all the same. */
  cancel(request: string): void {
    this.#jobs.get(request)?.abort.abort()
  }

  /** Ends all; resolves when nothing of them is alive. */
  async close(): Promise<void> {
    const jobs = [...this.#jobs.values()]
    for (const { abort } of jobs) abort.abort()
    await Promise.all(jobs.map(({ over }) => over))
  }

  async #carryOut(once: Once, signal: AbortSignal, tickets: Credit): Promise<void> {
    const { request } = once
    try {
      await this.#parts.admitted(signal)
      if (!signal.aborted) await this.#answer(once, signal, this.#answerer(once, signal, tickets))
      this.#parts.post({ type: 'once/done', request })
    } catch (error) {
      this.#parts.post({ type: 'once/failed', request, error: AgentError.from(error).toInfo() })
    }
  }

  async #answer(
    once: Once,
    signal: AbortSignal,
    answer: (delivered: Delivered) => Promise<void>,
  ): Promise<void> {
    const open = once.input === undefined ? undefined : this.#parts.input(once.input)
    if (open?.givesNextFrame) {
      if (once.stillsOnly && !open.isStill) return
      const delivered = await open.nextFrame(once, signal)
      return answer(delivered).finally(() => delivered.frame.release())
    }
    const place = this.#placeFor(once)
    try {
      await runOnce({
        once,
        source: this.#parts.source(once, place, once.upload ? this.#stills : undefined),
        inferrer: this.#inferrer(once, signal, place),
        place,
        maxAlive: this.#parts.maxAlive,
        answer: (delivered) => answer(this.#published(once, delivered)),
        signal,
      })
    } finally {
      if (once.input === undefined) this.#idlePlaces.push(place)
    }
  }

  /** Two at work at once would otherwise wipe out each other's notes. */
  #placeFor({ input }: Once): CrashPlace {
    if (input !== undefined) return this.#parts.record.place(input)
    const idle = this.#idlePlaces.pop()
    if (idle) return idle
    this.#places += 1
    return this.#parts.record.once(this.#places)
  }

  /** The first run goes ahead of everything; later ones (of a video) take turns with the inputs'. */
  #inferrer(once: Once, signal: AbortSignal, place: CrashPlace): Inferrer {
    let runs = 0
    let first: ReturnType<Inferrer['current']> | undefined
    const lane = (): string => {
      runs += 1
      return runs === 1 ? PRIORITY_LANE : `${PRIORITY_LANE} ${once.request}`
    }
    const inferrer = this.#parts.inferrer(lane, place)
    return {
      ...inferrer,
      current() {
        if (runs > 0) return inferrer.current()
        first ??= unlessAborted(inferrer.current(), signal)
        return first
      },
    }
  }

  #published(once: Once, delivered: Delivered): Delivered {
    const { result, frame } = delivered
    const tagged = {
      result: once.tag === undefined ? result : { ...result, tag: once.tag },
      frame,
    }
    if (once.publish) this.#parts.publish({ ...tagged, requested: true })
    return tagged
  }

  /** Pictures are made side by side, answers leave in the order of their results. */
  #answerer({ request, picture }: Once, signal: AbortSignal, tickets: Credit) {
    let before: Promise<void> = Promise.resolve()
    return (delivered: Delivered): Promise<void> => {
      const drawn = picture && this.#draw(delivered, picture, signal)
      before = Promise.all([drawn, before]).then(async ([bytes]) => {
        if (!(await tickets.take())) return
        const answer = { result: delivered.result, ...(bytes ? { picture: bytes } : {}) }
        this.#parts.post({ type: 'once/answer', request, answer })
      })
      return before
    }
  }

  async #draw(
    delivered: Delivered,
    format: PictureFormat,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    await this.#drawing.take()
    try {
      return signal.aborted ? undefined : await annotated(delivered, format)
    } finally {
      this.#drawing.give(false)
    }
  }
}

/** Whoever waits for a model is not to wait on when nobody wants its results. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new AgentError('CONFLICT', 'the request was cancelled'))
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    promise.then(resolve, reject)
  })
}
