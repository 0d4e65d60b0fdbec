import type { Frame, SourceInfo, Yuv420 } from '../core/stages.ts'
import type { PacketSink, VideoFormat, VideoPacket } from '../core/video.ts'

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
  /** Of a file that all the bytes are in, to be read by an engine itself. */
  readonly descriptor?: number
  /** Whether `read` may jump; without it, positions only go on or start over at 0. */
  readonly seekable: boolean
  read(position: number, length: number): Promise<Uint8Array>
  /** Of a file: whether others wrote to it since this was last asked, or since it was opened. Waits until they have done so. */
  changed?(signal: AbortSignal): Promise<boolean>
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
  /** `auto`, or one of `Codecs.decoders`: named ones are used or refused. */
  readonly decoder?: string
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
  /** Another object once a rewind has found that the file is another video. */
  readonly info: SourceInfo
  /** The next picture in order of presentation; nothing at the end, or once it is aborted. */
  next(): Promise<VideoFrame | undefined>
  /** Starts over at the first picture. @throws AgentError retryable where a file was written to and is no video, or not yet */
  rewind(): Promise<void>
  close(): Promise<void>
}

/** How pictures are encoded: H.264, no picture refers to a later one, every key picture is IDR. */
export interface EncodeOptions extends VideoFormat {
  /** Bits per second, on average. */
  readonly bitrate: number
  /** Seconds from one key picture to the next, at most. */
  readonly keyIntervalS: number
  /** `auto` (the first that works here, hardware before software) or one of `Codecs.encoders`. */
  readonly encoder: string
}

/** Encodes pictures one after another. One call at a time. */
export interface VideoEncoder {
  /** The encoder really in use, as FFmpeg names it. */
  readonly name: string
  /** The encoder's own picture, always the same memory: the next one is written here before `encode`. */
  readonly picture: Yuv420
  /**
   * Encodes what lies in `picture`. Without delay: it gives the packet of this very picture.
   * @param pts as in `VideoPacket` @param key whether it must be a key picture
   */
  encode(pts: number, key: boolean): Promise<readonly VideoPacket[]>
  /** Releases everything, at once. */
  close(): Promise<void>
}

/** What really works on this machine, best first, as FFmpeg names it; found by trying. */
export interface Codecs {
  /** Ways to decode H.264: `software`, and hardware (`vaapi`, `cuda`, `qsv`, `v4l2m2m`). */
  readonly decoders: readonly string[]
  /** Of H.264: `libx264`, `h264_vaapi`, `h264_nvenc`, `h264_qsv`, `h264_v4l2m2m`. */
  readonly encoders: readonly string[]
}

/** Where packets are pushed to. */
export interface PushOptions extends VideoFormat {
  /** How long connecting and each write may take, ms. */
  readonly timeoutMs: number
}

/**
 * Decodes and encodes video.
 * @throws AgentError BACKEND_UNAVAILABLE (the engine is not here, or a named codec: the message lists those
 *   that work), SOURCE_FORBIDDEN (a playlist), SOURCE_UNSUPPORTED, SOURCE_UNREACHABLE, SOURCE_DECODE,
 *   LIMIT_EXCEEDED, SINK_FAILED
 */
export interface MediaEngine {
  readonly name: string
  open(input: VideoInput, options: VideoOptions): Promise<VideoReader>
  encode(options: EncodeOptions): Promise<VideoEncoder>
  /** Sends packets to another server: `rtsp(s)://` (ANNOUNCE, RECORD over TCP) or `rtmp(s)://`, as they are. */
  push(url: string, options: PushOptions): Promise<PacketSink>
  codecs(): Promise<Codecs>
}
