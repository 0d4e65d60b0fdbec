import type { Frame, SourceInfo } from '../core/stages.ts'

/** A file that was opened and checked: the engine reads through `descriptor`, not by the name. */
export interface FileInput {
  readonly kind: 'file'
  readonly path: string
  /** An open file descriptor of it; stays the caller's, who closes it after the reader. */
  readonly descriptor?: number
}

/** Bytes that come through our own code, a download say. `read` gives 0 bytes at the end. */
export interface StreamInput {
  readonly kind: 'stream'
  /** For messages only. */
  readonly name: string
  /** Total bytes, where it is known. */
  readonly size?: number
  /** Whether `read` may jump; without it, positions only go on or start over at 0. */
  readonly seekable: boolean
  read(position: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** What a video is read from. A reader closes a stream, and leaves a file's descriptor open. */
export type VideoInput = FileInput | StreamInput

/** How a video is read. */
export interface VideoOptions {
  readonly signal: AbortSignal
  /** Decoder threads; 0 = as many as there are cores. */
  readonly threads: number
  readonly maxPixels: number
  /** Which pictures are decoded: every one, those that others depend on, or keyframes. */
  readonly decode: 'all' | 'nonref' | 'key'
  /** Takes the error of a picture that could not be decoded; reading goes on. */
  readonly skipped?: (error: Error) => void
}

/** A decoded picture and its time on the video's clock, seconds. The taker owns the frame. */
export interface VideoFrame {
  readonly frame: Frame
  readonly pts: number
}

/** An open video. One call at a time. */
export interface VideoReader {
  readonly info: SourceInfo
  /** The next picture in order of presentation; nothing at the end, or once it is aborted. */
  next(): Promise<VideoFrame | undefined>
  /** Starts over at the first picture. */
  rewind(): Promise<void>
  close(): Promise<void>
}

/**
 * Decodes video.
 * @throws AgentError BACKEND_UNAVAILABLE, SOURCE_FORBIDDEN (a playlist), SOURCE_UNSUPPORTED,
 *   SOURCE_UNREACHABLE, SOURCE_DECODE, LIMIT_EXCEEDED
 */
export interface MediaEngine {
  readonly name: string
  open(input: VideoInput, options: VideoOptions): Promise<VideoReader>
}
