import type { Result } from '../../schemas/results.ts'
import type { Frame } from '../core/stages.ts'
import type { VideoFormat, VideoPacket } from '../core/video.ts'
import { drawAge, drawItems } from '../imaging/draw.ts'
import type { MediaEngine, VideoEncoder } from '../media/engine.ts'
import { type Moment, streamClock } from './stream-clock.ts'

/** A picture to show, and what was found in it, or in one before it. */
export interface Shown extends Moment {
  readonly frame: Frame
  readonly found: Pick<Result, 'items' | 'kind' | 'capturedAt'> | undefined
}

/** How a track encodes, and where its packets go. */
export interface TrackParts {
  readonly engine: MediaEngine
  readonly encoder: string
  readonly format: VideoFormat
  readonly bitrate: number
  /** Whether to write how old the boxes are. */
  readonly age: boolean
  /** Pictures that may wait for the encoder; the ones beyond are dropped. */
  readonly waiting: number
  /** Settles when the destination is there, and has said whether it wants pictures; until then they wait. */
  readonly opened: Promise<unknown>
  take(packet: VideoPacket): Promise<void>
}

/** A viewer that joins, or a player that seeks, waits for a key picture no longer than this. */
const KEY_INTERVAL_S = 2

/**
 * Draws and encodes the pictures of one input, one after another, while they are wanted. The encoder
 * exists only so long.
 */
export class VideoTrack {
  readonly #parts: TrackParts
  readonly #time: (moment: Moment) => number
  #encoder: Promise<VideoEncoder> | undefined
  #tail: Promise<void>
  #waiting = 0
  #isOpen = false
  #closed = false
  #wanted = false
  #key = false

  constructor(parts: TrackParts) {
    this.#parts = parts
    this.#time = streamClock(parts.format.fps)
    const open = (): void => {
      this.#isOpen = true
    }
    this.#tail = parts.opened.then(open, open)
  }

  get format(): VideoFormat {
    return this.#parts.format
  }

  /** Whether pictures are encoded from now on. */
  want(on: boolean): void {
    this.#wanted = on
    if (!on) void this.#chain(() => this.#closeEncoder())
  }

  /** The next picture becomes a key picture. */
  key(): void {
    this.#key = true
  }

  /**
   * Shows a picture. @returns false when it was dropped, because the encoder is behind
   * @throws AgentError of the engine, and what `take` throws
   */
  async show(shown: Shown): Promise<boolean> {
    const pts = this.#time(shown)
    if (this.#closed || (this.#isOpen && !this.#wanted)) return true
    if (this.#waiting >= this.#parts.waiting) return false
    this.#waiting += 1
    shown.frame.retain()
    try {
      await this.#chain(() => this.#encode(shown, pts))
      return true
    } finally {
      this.#waiting -= 1
      shown.frame.release()
    }
  }

  /** Shows what it was given, and nothing more. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#chain(() => this.#closeEncoder())
  }

  /** One thing at a time: the encoder has one picture. */
  #chain(work: () => Promise<void>): Promise<void> {
    const done = this.#tail.then(work)
    this.#tail = done.catch(() => undefined)
    return done
  }

  async #encode({ frame, found, capturedAt }: Shown, pts: number): Promise<void> {
    if (!this.#wanted) return
    const { engine, format, encoder: name, bitrate, age } = this.#parts
    this.#encoder ??= engine.encode({
      ...format,
      encoder: name,
      bitrate,
      keyIntervalS: KEY_INTERVAL_S,
    })
    const encoder = await this.#encoder
    await frame.copyTo(encoder.picture)
    if (found) {
      drawItems(encoder.picture, found.items, found.kind)
      if (age) drawAge(encoder.picture, capturedAt - found.capturedAt)
    }
    const key = this.#key
    this.#key = false
    for (const packet of await encoder.encode(pts, key)) await this.#parts.take(packet)
  }

  async #closeEncoder(): Promise<void> {
    const encoder = this.#encoder
    this.#encoder = undefined
    await (await encoder?.catch(() => undefined))?.close()
  }
}
