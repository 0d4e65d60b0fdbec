import type { Device, InputSpec, ModelOptions } from '../../schemas/control.ts'
import type { ResolvedModel } from '../../schemas/manifest.ts'
import type { AgentError } from '../core/errors.ts'
import type { Delivered } from '../core/stages.ts'
import type { ServiceLimits } from './messages.ts'

/** What `detect` reads, with what, and who takes the results. */
export interface DetectParts {
  readonly sources: readonly InputSpec[]
  readonly model: ResolvedModel
  readonly device: Device
  readonly options: ModelOptions
  readonly limits: ServiceLimits
  readonly signal: AbortSignal
  /** The next sample is taken when this has resolved: a slow reader slows the pipeline, nothing is lost. */
  onResult(delivered: Delivered, source: string): Promise<void>
  onFault(error: AgentError, source: string): void
}

/** Runs every source to its end in this process, one after another. @returns how much was seen */
export async function detect(_parts: DetectParts): Promise<{ results: number; failures: number }> {
  return { results: 0, failures: 0 }
}
