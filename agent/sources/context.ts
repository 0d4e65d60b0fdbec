import type { InputSpec } from '../../schemas/control.ts'
import type { PixelBudget } from '../core/pixel-budget.ts'
import type { Source } from '../core/stages.ts'
import type { MediaEngine } from '../media/engine.ts'
import type { ServiceLimits } from '../service/messages.ts'

/** A picture that was published to a topic. */
export interface FeedImage {
  readonly payload: Uint8Array
  /** When the agent got it; Unix ms. */
  readonly at: number
}

/** Pictures published to topics. */
export interface ImageFeed {
  /** Takes what is published on `topic` from now on; returns how to stop. */
  subscribe(topic: string, take: (image: FeedImage) => void): () => void
}

/** What sources are made with. */
export interface SourceContext {
  readonly limits: ServiceLimits
  readonly engine: MediaEngine
  readonly images: ImageFeed
  /** Act with the rights of the user who started the program (the command line): no file roots. */
  readonly unrestricted?: boolean
  /** The URL is a file that a request brought along: that one, below the upload folder, and no other. */
  readonly upload?: boolean
  /** Where uploaded stills wait for room in memory. */
  readonly stills?: PixelBudget | undefined
  readonly defaultPace: 'realtime' | 'fast'
  /**
   * Runs native code on behalf of the input, so that a crash in it is attributed to this input. The
   * engine's calls are noted already; without it, work just runs.
   */
  native?<T>(work: () => Promise<T>): Promise<T>
}

/** Makes the source of one scheme. Refuses what it can tell without touching the world. */
export type SourceFactory = (spec: InputSpec, context: SourceContext) => Source
