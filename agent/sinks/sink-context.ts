import type { AddressRules } from '../core/addresses.ts'
import type { AgentError } from '../core/errors.ts'
import type { VideoFormat, VideoPacket } from '../core/video.ts'
import type { MediaEngine } from '../media/engine.ts'

/** A stream that the agent's RTSP server offers. */
export interface ServedStream {
  /** Sends a packet to who watches; without viewers it goes nowhere. */
  write(packet: VideoPacket): void
  close(): void
}

/** Who watches a served stream. Both are called at any time. */
export interface Demand {
  /** Whether anybody wants packets: nothing is to be encoded otherwise. */
  wanted(on: boolean): void
  /** Somebody needs a key picture, soon. */
  key(): void
}

/** What sinks get from the service they belong to. */
export interface SinkContext {
  readonly service: string
  /** The id of the output. */
  readonly output: string
  /** Publishes on the agent's broker; false when it was dropped because main fell behind. */
  event(event: {
    readonly path?: string
    readonly topic?: string
    readonly payload: Uint8Array
    readonly qos: 0 | 1
  }): boolean
  /** The only folder that file outputs may write below; absolute. */
  readonly mediaFolder: string
  /** Topics that `mqtt:<topic>` outputs may publish below. */
  readonly topicPrefixes: readonly string[]
  /** Which addresses outputs may reach. */
  readonly addresses: AddressRules
  /** Recording stops while the disk has less free space. */
  readonly minFreeBytes: number
  readonly engine: MediaEngine
  /** As `EncodeOptions.encoder`. */
  readonly encoder: string
  /** Offers a stream at `/<service>/<output>/<input>`. */
  serve(input: string, format: VideoFormat, demand: Demand): ServedStream
  /** Results given up by this sink since it was opened. */
  dropped(): void
  /**
   * The destination is out of reach; the sink goes on, keeps what it is given as far as it has room, and tries
   * again by itself. Without an error: the destination is back.
   */
  troubled(error?: AgentError): void
  /** The sink is at its end though nothing is being written: as if a write had failed. */
  lost(error: AgentError): void
}
