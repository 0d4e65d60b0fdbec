import type { PullProgress } from '../pull-messages.ts'

/** What a provider may use while it fetches. */
export interface PullContext {
  /** A folder for files that nobody needs afterwards. */
  readonly scratch: string
  readonly signal: AbortSignal
  readonly report: (progress: PullProgress) => void
}

/**
 * Reads files of a model by their paths inside the package or folder.
 * @throws AgentError MODEL_LOAD that names the paths that are not there
 */
export type ReadFiles = (paths: readonly string[]) => Promise<ReadonlyMap<string, Uint8Array>>
