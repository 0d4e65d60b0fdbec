import type { Device, InputSpec, ModelOptions, OutputSpec } from '../../schemas/control.ts'
import type { ErrorCode } from '../../schemas/errors.ts'
import type { ResolvedModel } from '../../schemas/manifest.ts'
import type { Result } from '../../schemas/results.ts'
import type { InputEvent, InputState, OutputState, Stats } from '../../schemas/state.ts'
import type { AddressRules } from '../core/addresses.ts'
import type { VideoFormat } from '../core/video.ts'
import type { PictureFormat } from '../sinks/annotated.ts'
import type { PreviewSettings } from '../sinks/preview.ts'
import type { Batching } from './batching.ts'

/** Whoever native code works for: the cause of a crash, perhaps. */
export type Suspect =
  | { readonly kind: 'model' }
  /** Requests for one result, taken together: none outlives a crash. */
  | { readonly kind: 'once' }
  | { readonly kind: 'input' | 'output'; readonly id: string }

/** A failure on its way over IPC. */
export interface Fault {
  readonly code: ErrorCode
  readonly message: string
  readonly retryable: boolean
}

/** Which engine and codecs; names or `auto`. */
export interface MediaChoice {
  readonly engine: 'auto' | 'node-av' | 'ffmpeg'
  readonly decoder: string
  readonly encoder: string
}

/** What a service process may touch, and how much of it: fixed at its start. */
export interface ServiceLimits {
  readonly roots: readonly string[]
  readonly mediaFolder: string
  /** Where requests' own files lie: closed to inputs, whatever the roots are. */
  readonly uploadFolder: string
  readonly addresses: AddressRules
  readonly outputAddresses: AddressRules
  readonly minFreeBytes: number
  readonly media: MediaChoice
  readonly preview: PreviewSettings
  readonly topicPrefixes: readonly string[]
  readonly samplesPerInput: number
  readonly inferenceThreads: number
  readonly threadsPerInference: number
  readonly batching: Batching
  readonly maxPixels: number
  readonly maxDownloadBytes: number
  /** Fault injection by `synthetic:` sources, for tests only. */
  readonly faults: boolean
}

/** Main → service process. */
export type ToService =
  | {
      readonly type: 'start'
      readonly service: string
      readonly limits: ServiceLimits
      /** Where the process notes what its native code works on (see `crash-record.ts`). */
      readonly crashRecord: string
      /** After a crash: one thing at a time, so that the next one has one suspect. */
      readonly careful: boolean
    }
  | {
      readonly type: 'model/load'
      readonly model: ResolvedModel
      readonly device: Device
      readonly options: ModelOptions
    }
  | { readonly type: 'model/options'; readonly options: ModelOptions }
  | { readonly type: 'input/open'; readonly id: string; readonly spec: InputSpec }
  | { readonly type: 'input/close'; readonly id: string }
  | { readonly type: 'output/open'; readonly id: string; readonly spec: OutputSpec }
  | { readonly type: 'output/close'; readonly id: string }
  | { readonly type: 'once'; readonly once: Once }
  /** One answer to it was taken: another may come. */
  | { readonly type: 'once/taken'; readonly request: string }
  /** Nobody waits for its answers any more; that it is over is told all the same. */
  | { readonly type: 'once/cancel'; readonly request: string }
  | {
      readonly type: 'image'
      readonly topic: string
      readonly payload: Uint8Array
      readonly at: number
    }
  | { readonly type: 'ack'; readonly bytes: number }
  /** Whether anybody watches a stream. */
  | { readonly type: 'stream/wanted'; readonly stream: number; readonly wanted: boolean }
  | { readonly type: 'stream/key'; readonly stream: number }
  /** Inputs of which somebody wants previews. */
  | { readonly type: 'preview/wanted'; readonly inputs: readonly string[] }
  | { readonly type: 'stop' }

/** One `compute once`, under the name by which its answer is matched. */
export interface Once {
  readonly request: string
  readonly spec: InputSpec
  /** The input that `spec` belongs to; absent for a source that the request brought along. */
  readonly input?: string
  readonly tag?: string
  /** Only of pictures that do not move: a source that does is given up without an answer. */
  readonly stillsOnly?: true
  /** Whether results are published too (a bare request) or only returned. */
  readonly publish: boolean
  /** `spec` names a file below the upload folder, which came with the request. */
  readonly upload?: true
  /** Each result comes with its annotated picture. */
  readonly picture?: PictureFormat
}

/** One result of a request, and its picture where one was asked for. */
export interface OnceAnswer {
  readonly result: Result
  readonly picture?: Uint8Array
}

/** What an input has become. `run` names the opening it belongs to. */
export interface InputReport {
  readonly id: string
  readonly state: InputState
  readonly run?: string
  readonly still?: true
  readonly width?: number
  readonly height?: number
  readonly fps?: number
  readonly error?: Fault
}

/** What an output has become. */
export interface OutputReport {
  readonly id: string
  readonly state: OutputState
  readonly written: number
  readonly dropped: number
  readonly error?: Fault
}

/** A stream is one output's picture of one input. */
export interface StreamId {
  readonly output: string
  readonly input: string
}

/** Service process → main. Encoded video has a pipe of its own (see `video-pipe.ts`). */
export type FromService =
  | { readonly type: 'ready' }
  /** From now on the stream goes by a number, which its process never uses again. */
  | {
      readonly type: 'stream/open'
      readonly stream: number
      readonly id: StreamId
      readonly format: VideoFormat
    }
  /** Nothing comes after so many packets, which may still be on their way: they go by a pipe of their own. */
  | { readonly type: 'stream/close'; readonly stream: number; readonly packets: number }
  /** The orchestrator lives; age of the oldest run in flight, ms, 0 when none or exempt. */
  | { readonly type: 'beat'; readonly inferenceMs: number }
  | { readonly type: 'model/loaded'; readonly id: string; readonly provider: string }
  | { readonly type: 'model/failed'; readonly id: string; readonly error: Fault }
  | { readonly type: 'input'; readonly report: InputReport }
  | { readonly type: 'output'; readonly report: OutputReport }
  /** The end of a finite input, or a turn in an object's life. */
  | { readonly type: 'input/event'; readonly event: InputEvent }
  /** Bytes to publish below the service's own topics (`path`), or on a whole topic (`topic`). */
  | {
      readonly type: 'event'
      readonly path?: string
      readonly topic?: string
      readonly payload: Uint8Array
      readonly qos: 0 | 1
    }
  | { readonly type: 'stats'; readonly stats: Stats }
  | { readonly type: 'once/answer'; readonly request: string; readonly answer: OnceAnswer }
  /** All its answers were sent, or it was cancelled. */
  | { readonly type: 'once/done'; readonly request: string }
  | { readonly type: 'once/failed'; readonly request: string; readonly error: Fault }
  | {
      readonly type: 'fault'
      readonly error: Fault
      readonly input?: string
      readonly output?: string
      readonly count: number
    }
  /** `mqtt:` sources: which topic to feed, or to feed no longer. */
  | { readonly type: 'feed'; readonly topic: string; readonly on: boolean }
  | {
      readonly type: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly fields: object
      readonly message: string
    }
