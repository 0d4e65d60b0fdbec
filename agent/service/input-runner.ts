import { randomUUID } from 'node:crypto'
import { defer, mergeMap, type Observable, type Subscription } from 'rxjs'
import type { InputSpec } from '../../schemas/control.ts'
import type { Result } from '../../schemas/results.ts'
import type { InputEvent, InputStats } from '../../schemas/state.ts'
import { AgentError } from '../core/errors.ts'
import type { Delivered, Sample, Seen, Source, SourceEvents, SourceInfo } from '../core/stages.ts'
import { type Ledger, ledger } from '../pipeline/ledger.ts'
import { reconnect } from '../pipeline/reconnect.ts'
import { type Inferred, type Inferrer, results } from '../pipeline/results.ts'
import { type Slots, slots } from '../pipeline/slots.ts'
import type { CrashPlace } from './crash-record.ts'
import type { Fault, InputReport, Once } from './messages.ts'
import { type OpeningNote, openingNote } from './native-notes.ts'
import { ObjectTracks, untracked } from './object-tracks.ts'

/** What a runner needs of its service. */
export interface InputParts {
  readonly id: string
  readonly spec: InputSpec
  readonly source: Source
  readonly inferrer: Inferrer
  readonly place: CrashPlace
  /** Samples alive at once. */
  readonly maxAlive: number
  /** Takes each result; the next sample's slot is free when this has settled. */
  deliver(delivered: Delivered): Promise<void> | undefined
  /** Takes each picture as it is read. */
  see?(seen: Seen): void
  report(report: InputReport): void
  /** Takes its end, and the lives of its objects; without it, none are followed. */
  event?(event: InputEvent): void
  fault(error: AgentError): void
}

/** A `once` that waits for the first frame captured after it was asked. */
interface Waiting {
  readonly once: Once
  readonly askedAt: number
  resolve(delivered: Delivered): void
  reject(error: AgentError): void
}

/** Runs one input: opens its source, infers every sample, reconnects, reports. */
export class InputRunner {
  readonly #parts: InputParts
  readonly #slots: Slots
  readonly #tracks: ObjectTracks | undefined
  readonly #opening: OpeningNote
  readonly #waiting: Waiting[] = []
  #abort = new AbortController()
  #ledger: Ledger = ledger()
  #run = ''
  #info: SourceInfo = {}
  #live = false
  #subscription: Subscription | undefined
  #tellOpened: () => void = () => {}
  /** Resolves when the source gives samples, or has failed to. */
  readonly opened: Promise<void>
  #tellProven: () => void = () => {}
  /** Resolves when the source has given its first pictures, or has failed to. */
  readonly proven: Promise<void>
  #finished: Promise<void> = Promise.resolve()

  constructor(parts: InputParts) {
    this.#parts = parts
    this.#slots = slots(parts.maxAlive)
    this.#tracks = parts.event && new ObjectTracks(parts.id, (event) => parts.event?.(event))
    this.opened = new Promise((resolve) => {
      this.#tellOpened = resolve
    })
    this.proven = new Promise((resolve) => {
      this.#tellProven = resolve
    })
    this.#opening = openingNote(parts.place, () => this.#tellProven())
  }

  /** Whether a `once` can wait for its next frame instead of opening the source again. */
  get givesNextFrame(): boolean {
    return this.#parts.source.live && this.#live
  }

  /** Starts reading. `closed` settles when everything is released. */
  open(): void {
    this.#finished = new Promise((resolve) => {
      this.#subscription = defer(() => this.#attempt())
        .pipe(reconnect((error) => this.#retrying(error)))
        .subscribe({
          error: (error: unknown) => this.#over('failed', AgentError.from(error).toInfo()),
          complete: () => this.#over('ended'),
        })
      this.#subscription.add(resolve)
    })
  }

  /** Ends reading; resolves when no sample is alive. */
  async close(): Promise<void> {
    this.#abort.abort()
    this.#tellOpened()
    this.#tellProven()
    this.#subscription?.unsubscribe()
    this.#tracks?.end()
    this.#rejectWaiting(new AgentError('CONFLICT', `the input '${this.#parts.id}' was closed`))
    await this.#finished
    await this.#slots.idle()
  }

  /**
   * The result of the first frame captured after this call; the frame is the caller's to release.
   * @param late nobody waits any more
   */
  nextFrame(once: Once, late: AbortSignal): Promise<Delivered> {
    return new Promise((resolve, reject) => {
      const waiting = { once, askedAt: Date.now(), resolve, reject }
      this.#waiting.push(waiting)
      late.addEventListener('abort', () => this.#giveUp(waiting), { once: true })
      if (late.aborted) this.#giveUp(waiting)
    })
  }

  /** What happened since the last call. */
  takeStats(): InputStats {
    return this.#ledger.take(this.#slots.alive)
  }

  #attempt(): Observable<void> {
    this.#abort = new AbortController()
    this.#ledger = ledger()
    this.#run = randomUUID().slice(0, 8)
    this.#tracks?.begin(this.#run)
    this.#live = false
    const { source, inferrer } = this.#parts
    const opened = source.samples(this.#abort.signal, this.#events())
    const samples = this.#counted(this.#opening.over(opened))
    const failed = (error: unknown): void =>
      this.#failed(AgentError.from(error, 'INFERENCE_FAILED'))
    return results(samples, this.#slots, inferrer, failed).pipe(
      mergeMap((inferred) => this.#deliver(inferred)),
    )
  }

  /** Whether its source is open and does not move. */
  get isStill(): boolean {
    return this.#info.still === true
  }

  #events(): SourceEvents {
    return {
      opened: (info) => {
        this.#info = info
        this.#live = false
        this.#becomeLive()
      },
      skipped: (error) => this.#failed(AgentError.from(error, 'SOURCE_DECODE')),
      dropped: () => this.#ledger.dropped(),
      passed: (picture) => this.#seen(picture),
    }
  }

  async *#counted(samples: AsyncIterable<Sample>): AsyncGenerator<Sample> {
    for await (const sample of samples) {
      this.#ledger.read()
      if (this.#info.width === undefined) {
        this.#info = { ...this.#info, width: sample.frame.width, height: sample.frame.height }
        this.#live = false
      }
      this.#becomeLive()
      this.#seen(sample)
      yield sample
    }
  }

  #seen({ frame, capturedAt, pts }: Pick<Sample, 'frame' | 'capturedAt' | 'pts'>): void {
    const { id, see } = this.#parts
    this.#opening.picture()
    see?.({ input: id, frame, capturedAt, ...(pts === undefined ? {} : { pts }), ...this.#rate() })
  }

  #rate(): { readonly fps?: number } {
    return this.#info.fps === undefined ? {} : { fps: this.#info.fps }
  }

  #becomeLive(): void {
    if (this.#live) return
    this.#live = true
    this.#report('live')
  }

  async #deliver(inferred: Inferred): Promise<void> {
    const { sample } = inferred
    const answered = this.#waiting.filter(({ askedAt }) => askedAt <= sample.capturedAt)
    const result = this.#resultOf(inferred, answered[0]?.once.tag)
    this.#ledger.inferred(inferred.ms)
    for (const waiting of answered) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      sample.frame.retain()
      waiting.resolve({ result, frame: sample.frame })
    }
    try {
      const requested = answered.some(({ once }) => once.publish)
      await this.#parts.deliver({
        result,
        frame: sample.frame,
        ...(requested ? { requested } : {}),
        ...this.#rate(),
      })
    } finally {
      inferred.release()
    }
  }

  #resultOf(inferred: Inferred, tag: string | undefined): Result {
    const { sample, model, ms } = inferred
    const items = this.#tracks?.follow(inferred) ?? untracked(inferred)
    return {
      v: 1,
      kind: model.model.kind,
      input: this.#parts.id,
      model: model.id,
      run: this.#run,
      seq: this.#ledger.total,
      capturedAt: sample.capturedAt,
      publishedAt: Date.now(),
      ...(sample.pts === undefined ? {} : { pts: sample.pts }),
      width: sample.frame.width,
      height: sample.frame.height,
      ...(sample.name === undefined ? {} : { source: sample.name }),
      ...(tag === undefined ? {} : { tag }),
      items: [...items],
      ms,
    }
  }

  #failed(error: AgentError): void {
    this.#ledger.failed()
    this.#parts.fault(error)
  }

  #retrying(error: AgentError): void {
    this.#tracks?.end()
    this.#parts.fault(error)
    this.#report('retrying', error.toInfo())
  }

  #over(state: 'ended' | 'failed', error?: Fault): void {
    if (this.#abort.signal.aborted) return
    const { id } = this.#parts
    this.#tracks?.end()
    if (error) this.#parts.fault(AgentError.fromInfo(error))
    else {
      const frames = this.#ledger.total
      const failed = this.#ledger.failures
      this.#parts.event?.({
        v: 1,
        type: 'ended',
        input: id,
        run: this.#run,
        frames,
        failed,
        at: Date.now(),
      })
    }
    this.#rejectWaiting(new AgentError('CONFLICT', `the input '${id}' has ${state}`))
    this.#report(state, error)
  }

  #giveUp(waiting: Waiting): void {
    const at = this.#waiting.indexOf(waiting)
    if (at < 0) return
    this.#waiting.splice(at, 1)
    const message = `the input '${this.#parts.id}' gave no frame in time`
    waiting.reject(new AgentError('TIMEOUT', message, { retryable: true }))
  }

  #rejectWaiting(error: AgentError): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error)
  }

  #report(state: InputReport['state'], error?: Fault): void {
    this.#tellOpened()
    if (state !== 'live') this.#tellProven()
    const run = this.#run
    this.#parts.report({
      id: this.#parts.id,
      state,
      run,
      ...this.#info,
      ...(error ? { error } : {}),
    })
  }
}
