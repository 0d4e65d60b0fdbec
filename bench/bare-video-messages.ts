import type { VideoFormat } from '../agent/core/video.ts'

/** The drawing process → the serving process; packets take the agent's pipe. */
export interface FromDrawing {
  readonly type: 'open'
  readonly format: VideoFormat
}

/** The serving process → the drawing process. */
export type ToDrawing = { readonly type: 'wanted'; readonly on: boolean } | { readonly type: 'key' }

/** What the serving process prints. */
export interface Serving {
  readonly url: string
  /** Both processes. */
  readonly pids: readonly number[]
}
