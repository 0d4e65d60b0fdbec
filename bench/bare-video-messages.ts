import type { VideoFormat, VideoPacket } from '../agent/core/video.ts'

/** The drawing process → the serving process, as in the agent. */
export type FromDrawing =
  | { readonly type: 'open'; readonly format: VideoFormat }
  | { readonly type: 'packet'; readonly packet: VideoPacket }

/** The serving process → the drawing process. */
export type ToDrawing = { readonly type: 'wanted'; readonly on: boolean } | { readonly type: 'key' }

/** What the serving process prints. */
export interface Serving {
  readonly url: string
  /** Both processes. */
  readonly pids: readonly number[]
}
