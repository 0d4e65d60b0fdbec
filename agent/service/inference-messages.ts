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
  | {
      readonly type: 'run'
      readonly job: number
      readonly inputs: Tensors
      readonly meta: unknown
      readonly place: CrashPlace
    }
  | { readonly type: 'close' }

/** Inference thread → orchestrator. After `done` and `error` the run's inputs are not read any more. */
export type FromInference =
  | { readonly type: 'loaded'; readonly provider: string }
  | { readonly type: 'failed'; readonly error: Fault }
  | {
      readonly type: 'done'
      readonly job: number
      readonly items: readonly Item[]
      readonly tracking?: Tracking
      readonly inferMs: number
      readonly postprocessMs: number
    }
  | { readonly type: 'error'; readonly job: number; readonly error: Fault }
