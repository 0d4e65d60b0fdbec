import type { ModelOptions } from '../../schemas/control.ts'
import type { ResolvedModel } from '../../schemas/manifest.ts'
import type { Item } from '../../schemas/results.ts'
import type { SessionOptions, Tensors } from '../core/stages.ts'
import type { Tracking } from '../pipeline/results.ts'
import type { CrashPlace } from './crash-record.ts'
import type { Fault } from './messages.ts'

/** Orchestrator → inference thread. They are done one after another, in order. */
export type ToInference =
  | {
      readonly type: 'load'
      readonly model: ResolvedModel
      readonly session: SessionOptions
      readonly options: Required<ModelOptions>
      readonly place: CrashPlace
    }
  | { readonly type: 'options'; readonly options: Required<ModelOptions> }
  | { readonly type: 'run'; readonly run: number; readonly samples: readonly RunSample[] }
  | { readonly type: 'close' }

/** One of the samples that share a run. */
export interface RunSample {
  readonly inputs: Tensors
  readonly meta: unknown
  /** Where it is noted that native code works on it. */
  readonly place: CrashPlace
}

/** What a run gave for one of its samples. */
export type RunAnswer =
  | {
      readonly items: readonly Item[]
      readonly tracking?: Tracking
      readonly postprocessMs: number
    }
  | { readonly error: Fault }

/** Inference thread → orchestrator. After `done` and `error` the run's inputs are not read any more. */
export type FromInference =
  | { readonly type: 'loaded'; readonly provider: string; readonly hasBatchAxis: boolean }
  | { readonly type: 'failed'; readonly error: Fault }
  | RunEnd

/** How a run ended: with an answer for each of its samples, in their order, or for none. */
export type RunEnd =
  | {
      readonly type: 'done'
      readonly run: number
      readonly answers: readonly RunAnswer[]
      /** The whole run's. */
      readonly inferMs: number
    }
  | { readonly type: 'error'; readonly run: number; readonly error: Fault }
