import type { ComputeRequest, ServiceAdd } from '../../schemas/control.ts'
import type { ComputeView, ModelView, Pong, PulledModel, ServiceView } from '../../schemas/http.ts'
import type { Result } from '../../schemas/results.ts'
import type { AgentInfo, ModelStatus } from '../../schemas/state.ts'

/** The parts of a service that can be read, as they are shown. */
export interface PartViews {
  readonly input: ServiceView['input']
  readonly output: ServiceView['output']
  readonly model: ModelStatus
  readonly compute: ComputeView
}
/** A part of a service, by name. */
export type Part = keyof PartViews
/** A part that can be set. */
export type SettablePart = Exclude<Part, 'compute'>

/** A value and, where the door has such, the tag that names this version of it (RFC 9110, 8.8.3). */
export interface Tagged<T> {
  readonly value: T
  readonly etag?: string
}

/** Which service is meant; without a name the default one: called `default`, else the only one. */
export interface Whom {
  readonly service?: string
}

/** How something is changed. */
export interface Change extends Whom {
  /** Only if it still is the version that this tag names; over HTTP. */
  readonly ifMatch?: string
}

/** How a part is set. */
export interface PartChange extends Change {
  /** What is not named goes; else it stays as it is. */
  readonly replace?: boolean
}

/** What `compute` gave: results, or how it goes with what runs from now on. */
export type Computed =
  | { readonly results: readonly Result[] }
  | { readonly view: ComputeView; readonly results?: undefined }

/** A picture or video that is sent with a request. */
export interface Upload {
  readonly name: string
  /** Unknown where it comes through a pipe. */
  readonly bytes?: number
  /** Opens it; read once. */
  open(): AsyncIterable<Uint8Array>
}

/** How uploads are inferred. */
export interface Inference extends Whom {
  /** Copied into the results; by default the name of each upload, where there are several. */
  readonly tag?: string
}

/** How far a model has come. */
export interface PullProgress {
  readonly phase: string
  readonly done: number
  readonly total?: number
}

/** The kinds of events of a service: first levels of its topics. */
export const eventKinds = [
  'detections',
  'event',
  'state',
  'stats',
  'input',
  'output',
  'model',
  'stream',
  'error',
] as const
/** One of them. */
export type EventKind = (typeof eventKinds)[number]

/** Something that a service published. */
export interface AgentEvent {
  readonly service: string
  readonly kind: EventKind
  /** Below the service, as `detections/gate`. */
  readonly topic: string
  /** The payload of its MQTT message; nothing when what was retained is gone. */
  readonly data: unknown
}

/** What is watched. */
export interface Watched extends Whom {
  readonly kinds: readonly EventKind[]
  /** Of results, events and the like; default every input. */
  readonly input?: string
  /** Ends the watching. */
  readonly signal: AbortSignal
}

/**
 * One agent, as a program drives it, through whichever of its doors. Every call @throws AgentError: what the agent
 * answered, else AGENT_UNREACHABLE, TIMEOUT, NOT_AUTHORIZED; CONFIG_INVALID for what this door cannot do.
 */
export interface AgentClient {
  ping(): Promise<Pong>
  info(): Promise<AgentInfo>
  services(): Promise<readonly ServiceView[]>
  service(whom?: Whom): Promise<Tagged<ServiceView>>
  get<P extends Part>(part: P, whom?: Whom): Promise<Tagged<PartViews[P]>>
  /** Sets a part by a value of `InputSet`, `OutputSet` or `ModelSet`. @returns how it is then */
  set<P extends SettablePart>(
    part: P,
    value: unknown,
    change?: PartChange,
  ): Promise<Tagged<PartViews[P]>>
  compute(request: ComputeRequest, change?: Change): Promise<Computed>
  /** Infers uploads, and gives every result in order, as they come. */
  infer(uploads: readonly Upload[], how?: Inference): AsyncIterable<Result>
  /** One picture with its boxes drawn, a JPEG. */
  draw(upload: Upload, how?: Inference): Promise<Uint8Array>
  /** @throws AgentError CONFLICT where there is one of this name already */
  addService(service: ServiceAdd): Promise<ServiceView>
  removeService(service: string, change?: Change): Promise<void>
  models(): Promise<readonly ModelView[]>
  /** Fetches a model; resolves when it lies there. */
  pull(model: string, progress?: (progress: PullProgress) => void): Promise<PulledModel>
  /**
   * Hands over events as they come; the next one waits until `take` has settled. Connects again by itself once it
   * was connected. Resolves when `signal` aborts.
   */
  watch(watched: Watched, take: (event: AgentEvent) => Promise<void>): Promise<void>
  close(): Promise<void>
}

/** What a client is made with. */
export interface ClientParts {
  /** As `https://host:8080`; credentials in it are used and never shown. */
  readonly url: URL
  readonly token?: string
  /** How long the agent may take to answer, ms. Default 10 s; 10 min for inference and for fetching models. */
  readonly timeoutMs?: number
  /** First level of the topics; MQTT. Default `edge`. */
  readonly root?: string
  /** Which agent of several on one broker; MQTT. */
  readonly agent?: string
  /** Ends what is under way. */
  readonly signal?: AbortSignal
  /** Told what a person may want to know besides the answer: fields that were ignored, a lost connection. */
  notice?(text: string): void
}

const QUICK_MS = 10_000
const LONG_MS = 600_000

/** How long an answer may take. */
export function patience({ timeoutMs }: Pick<ClientParts, 'timeoutMs'>, work: 'quick' | 'long') {
  return timeoutMs ?? (work === 'quick' ? QUICK_MS : LONG_MS)
}
