import { AgentError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { backoffMs } from '../pipeline/backoff.ts'
import { type Blame, blame } from './blame.ts'
import { nameInRecord, readCrashRecord, suspectCalled } from './crash-record.ts'
import type { Launch, ServiceProcess } from './launch.ts'
import type { Fault, FromService, ServiceLimits, Suspect, ToService } from './messages.ts'
import { acknowledger } from './outbox.ts'
import type { TakeVideo } from './video-pipe.ts'

/** A suspect that comes back with the process, and can be kept from it. */
export type Lasting = Exclude<Suspect, { kind: 'once' }>

/** What a supervisor tells. */
export interface SupervisorListener {
  ready(): void
  /** The process is gone; with a fault, it is started again by itself. */
  exited(crash: Fault | undefined): void
  /** The process was to end, and did not do so in order. */
  endedBadly(error: Fault): void
  /** Two crashes are attributed to it. */
  quarantined(suspect: Lasting, error: Fault): void
  message(message: FromRunning): void
  readonly video: TakeVideo
}

/** What a process tells once it runs, besides that it lives. */
export type FromRunning = Exclude<FromService, { type: 'ready' | 'beat' }>

/** What a supervisor needs. */
export interface SupervisorParts {
  readonly service: string
  readonly limits: ServiceLimits
  readonly crashRecord: string
  readonly launch: Launch
  readonly listener: SupervisorListener
  readonly log: Log
}

const CHECK_MS = 250
/** Checks without a heartbeat after which a process counts as hung: 1.25 s of main's own time. */
const MISSED_CHECKS = 5
/** Until its first word. Loading libraries on a busy machine takes a while. */
const START_CHECKS = 120
const INFERENCE_LIMIT_MS = 30_000
/** A stop that is not finished by then is forced. */
const STOP_LIMIT_MS = 5000
/** After this long without a crash, the next one is the first again. */
const STEADY_MS = 10_000

/** Keeps one process running for as long as it is wanted; ends it when it hangs. */
export class Supervisor {
  readonly #parts: SupervisorParts
  readonly #blame: Blame = blame()
  #process: ServiceProcess | undefined
  #wanted = false
  #ready = false
  #missed = 0
  #hung: string | undefined
  #attempt = 0
  #startedAt = 0
  #restarts = 0
  #watch: NodeJS.Timeout | undefined
  #restart: NodeJS.Timeout | undefined
  #force: NodeJS.Timeout | undefined
  #gone: (() => void)[] = []

  constructor(parts: SupervisorParts) {
    this.#parts = parts
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Restarts after crashes, since the agent started. */
  get restarts(): number {
    return this.#restarts
  }

  /** Bytes on their way to the process. */
  get queuedBytes(): number {
    return this.#process?.queuedBytes ?? 0
  }

  start(): void {
    this.#wanted = true
    if (!this.#process && !this.#restart) this.#launch()
  }

  /** Asks the process to finish and end; forces it after 5 s. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#wanted = false
    clearTimeout(this.#restart)
    this.#restart = undefined
    const running = this.#process
    if (!running) return
    running.send({ type: 'stop' })
    this.#force = setTimeout(() => this.#kill('did not stop within 5 s'), STOP_LIMIT_MS)
    await new Promise<void>((resolve) => this.#gone.push(resolve))
  }

  /** Messages to a process that is not ready are dropped: it is told everything when it is. */
  send(message: ToService): void {
    if (this.#ready) this.#process?.send(message)
  }

  /** Main has published this much of what the process sent. */
  readonly published = acknowledger((bytes) => this.send({ type: 'ack', bytes }))

  /** It was set anew. */
  forgive(suspect: Suspect): void {
    this.#blame.forgive(nameInRecord(suspect))
  }

  #launch(): void {
    const { service, limits, crashRecord, launch, listener, log } = this.#parts
    this.#ready = false
    this.#missed = 0
    this.#hung = undefined
    this.#startedAt = performance.now()
    const started = launch({
      message: (message) => this.#heard(message),
      video: (stream, packet) => listener.video(stream, packet),
      broken: (reason) => this.#kill(reason),
      exited: (code, signal, lastWords) => this.#exited(code, signal, lastWords),
    })
    this.#process = started
    const careful = this.#attempt > 0
    started.send({ type: 'start', service, limits, crashRecord, careful })
    this.#watch = setInterval(() => this.#check(), CHECK_MS)
    log.info({ service, pid: started.pid }, 'service process started')
  }

  #heard(message: FromService): void {
    this.#missed = 0
    if (message.type === 'ready') {
      this.#ready = true
      this.#parts.listener.ready()
      return
    }
    if (message.type === 'beat') {
      if (message.inferenceMs > INFERENCE_LIMIT_MS) this.#kill('an inference took over 30 s')
      return
    }
    this.#parts.listener.message(message)
  }

  /** Counts checks and not time, so that a suspended machine does not look like a hung process. */
  #check(): void {
    this.#missed += 1
    const limit = this.#ready ? MISSED_CHECKS : START_CHECKS
    if (this.#missed > limit) this.#kill(`gave no sign of life for ${(limit * CHECK_MS) / 1000} s`)
  }

  #kill(reason: string): void {
    if (this.#hung) return
    this.#hung = reason
    this.#process?.kill('SIGKILL')
  }

  #exited(code: number | null, signal: NodeJS.Signals | null, lastWords: string): void {
    const { service, listener, log } = this.#parts
    clearInterval(this.#watch)
    clearTimeout(this.#force)
    this.#process = undefined
    this.#ready = false
    for (const tell of this.#gone.splice(0)) tell()
    if (!this.#wanted) {
      log.info({ service, code, signal, hung: this.#hung, lastWords }, 'service process ended')
      if (code !== 0) {
        const lost = 'was stopped; what its outputs had under way may be lost'
        listener.endedBadly(this.#describe(lost, code, signal, lastWords))
      }
      listener.exited(undefined)
      return
    }
    const crash = this.#describe('is started again', code, signal, lastWords)
    log.warn({ service, code, signal, hung: this.#hung, lastWords }, 'service process crashed')
    this.#accuse(signal)
    listener.exited(crash)
    this.#again()
  }

  #describe(fate: string, code: number | null, signal: string | null, lastWords: string): Fault {
    const cause = this.#hung ?? (signal ? `ended by ${signal}` : `ended with code ${code}`)
    const words = lastWords ? `; it said: ${lastWords.slice(-300)}` : ''
    const message = `the process of service '${this.#parts.service}' ${cause}; it ${fate}${words}`
    return new AgentError('SERVICE_CRASHED', message, { retryable: true }).toInfo()
  }

  #accuse(signal: string | null): void {
    if (this.#hung) return
    const busy = readCrashRecord(this.#parts.crashRecord)
    for (const name of this.#blame.crashed(signal, busy, Date.now())) {
      const suspect = suspectCalled(name)
      if (suspect.kind === 'once') continue
      const message = `${described(suspect)} crashed the process twice (${signal}); it stays off until it is set again`
      this.#parts.listener.quarantined(suspect, new AgentError('SERVICE_CRASHED', message).toInfo())
    }
  }

  /** The first two restarts are at once; those that follow soon wait longer and longer. */
  #again(): void {
    const steady = performance.now() - this.#startedAt > STEADY_MS
    this.#attempt = steady ? 0 : this.#attempt
    const waitMs = this.#attempt < 2 ? 0 : backoffMs(this.#attempt - 2, Math.random())
    this.#attempt += 1
    this.#restarts += 1
    this.#restart = setTimeout(() => {
      this.#restart = undefined
      this.#launch()
    }, waitMs)
  }
}

function described(suspect: Lasting): string {
  if (suspect.kind === 'model') return 'loading the model'
  const { kind, id } = suspect
  return kind === 'input' ? `the input '${id}'` : `encoding for the output '${id}'`
}
