import type { VideoFormat } from '../core/video.ts'
import type { OpenPackets } from './video-sink.ts'
import { type TrackParts, VideoTrack } from './video-track.ts'

/** One input's pictures on their way to a destination. */
export interface VideoStream {
  readonly track: VideoTrack
  /** Settles when the destination takes packets. */
  readonly opened: Promise<unknown>
  close(): Promise<void>
}

/** What streams are made of. */
export interface StreamsParts extends Omit<TrackParts, 'format' | 'bitrate' | 'opened' | 'take'> {
  bitrate(format: VideoFormat): number
  readonly open: OpenPackets
  /** A destination could not be opened, or not be closed. */
  failed(error: unknown): void
}

/** The streams of a video output, one per input; another one begins when the one before has ended. */
export class VideoStreams {
  readonly #parts: StreamsParts
  readonly #open = new Map<string, VideoStream>()
  readonly #ending = new Map<string, Promise<void>>()

  constructor(parts: StreamsParts) {
    this.#parts = parts
  }

  /** The stream of an input; pictures of another size are another stream. */
  of(input: string, format: VideoFormat): VideoStream {
    const before = this.#open.get(input)
    const { width, height } = before?.track.format ?? {}
    if (before && width === format.width && height === format.height) return before
    this.end(input)
    const stream = this.#begin(input, format, this.#ending.get(input))
    this.#open.set(input, stream)
    return stream
  }

  /** Nothing more comes of an input. */
  end(input: string): void {
    const stream = this.#open.get(input)
    this.#open.delete(input)
    if (!stream) return
    const ended = stream
      .close()
      .catch(this.#parts.failed)
      .finally(() => this.#ending.get(input) === ended && this.#ending.delete(input))
    this.#ending.set(input, ended)
  }

  /** Settles when everything has ended. */
  async close(): Promise<void> {
    for (const input of [...this.#open.keys()]) this.end(input)
    await Promise.all(this.#ending.values())
  }

  #begin(input: string, format: VideoFormat, after: Promise<void> | undefined): VideoStream {
    const { bitrate, open, failed, ...parts } = this.#parts
    const control = { wanted: (on: boolean) => track.want(on), key: () => track.key() }
    const packets = Promise.resolve(after).then(() => open(input, format, control))
    packets.catch(failed)
    const track: VideoTrack = new VideoTrack({
      ...parts,
      format,
      bitrate: bitrate(format),
      opened: packets,
      take: async (packet) => (await packets).write(packet),
    })
    return {
      track,
      opened: packets,
      async close() {
        await track.close()
        const sink = await packets.catch(() => undefined)
        await sink?.close()
      },
    }
  }
}
