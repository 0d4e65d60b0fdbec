import type { StreamStatus } from '../../schemas/state.ts'
import type {
  LiveStream,
  OfferedStream,
  StreamServer,
  VideoFormat,
  VideoPacket,
} from '../core/video.ts'

/** What one stream needs of its service. */
export interface StreamParts {
  /** `/<service>/<output>/<input>` */
  readonly path: string
  readonly format: VideoFormat
  readonly server: StreamServer
  /** Tells the process whether anybody wants packets. */
  wanted(on: boolean): void
  /** Asks the process for a key packet. */
  key(): void
  publish(status: StreamStatus): void
}

interface Taker {
  take(packet: VideoPacket): void
  ended(): void
}

/** One stream of a service: its RTSP viewers and others, who together decide whether it is encoded. */
export class ServiceStream implements LiveStream {
  readonly #parts: StreamParts
  readonly #offered: OfferedStream
  readonly #takers = new Set<Taker>()
  #viewers = 0
  #watched = false
  #wanted = false
  #open = true

  constructor(parts: StreamParts) {
    this.#parts = parts
    this.#offered = parts.server.offer({
      path: parts.path,
      format: parts.format,
      key: () => this.key(),
      wanted: (on) => {
        this.#watched = on
        this.#changed()
      },
      viewersChanged: (count) => {
        this.#viewers = count
        this.#changed()
      },
    })
    this.#changed()
  }

  get format(): VideoFormat {
    return this.#parts.format
  }

  key(): void {
    if (this.#open) this.#parts.key()
  }

  write(packet: VideoPacket): void {
    this.#offered.write(packet)
    for (const { take } of this.#takers) take(packet)
  }

  subscribe(take: (packet: VideoPacket) => void, ended: () => void): () => void {
    const taker = { take, ended }
    this.#takers.add(taker)
    this.#changed()
    this.key()
    return () => {
      this.#takers.delete(taker)
      this.#changed()
    }
  }

  /** Where it can be watched, and how many do. */
  get status(): StreamStatus {
    const { format, server, path } = this.#parts
    const { codec, width, height, fps } = format
    const viewers = this.#viewers + this.#takers.size
    return { url: server.url(path), protocol: 'rtsp', codec, width, height, fps, viewers }
  }

  /** Ends it for all viewers; from now on it says nothing, since another stream may have its name. */
  end(): void {
    this.#open = false
    this.#offered.close()
    for (const { ended } of [...this.#takers]) ended()
  }

  #changed(): void {
    if (!this.#open) return
    const wanted = this.#watched || this.#takers.size > 0
    if (wanted !== this.#wanted) this.#parts.wanted(wanted)
    this.#wanted = wanted
    this.#parts.publish(this.status)
  }
}
