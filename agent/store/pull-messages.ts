import type { ModelProvider } from '../../schemas/manifest.ts'
import type { AgentError } from '../core/errors.ts'

/** How far a pull is: bytes, or nodes of the graph while it converts. */
export interface PullProgress {
  readonly phase: 'download' | 'verify' | 'unpack' | 'convert'
  readonly done: number
  readonly total?: number
}

/** What the pulling process is to do: try the offers in turn and store the first that works. */
export interface PullJob {
  readonly id: string
  readonly offers: readonly Offer[]
  /** An empty folder on the cache's own disk, for everything that is not finished. */
  readonly scratch: string
}

/** One provider, and the folder of the cache that its model belongs in. */
export interface Offer {
  readonly provider: ModelProvider
  /** The manifest's folder: `file` providers name files below it. */
  readonly folder?: string
  readonly target: string
}

/** Pulling process → main. */
export type PullReport =
  | { readonly type: 'progress'; readonly progress: PullProgress }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly fault: ReturnType<AgentError['toInfo']> }
