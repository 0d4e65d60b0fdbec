/** One encoded picture: a whole H.264 access unit. */
export interface VideoPacket {
  /**
   * Annex B (ITU-T H.264), start codes of three or four bytes, without access unit delimiter. A key
   * packet carries SPS and PPS ahead of its IDR slices.
   */
  readonly data: Uint8Array
  /** Since the stream began, in 1/90000 s; only grows. No picture refers to a later one, so packets come in this order. */
  readonly pts: number
  /** Decoding can begin here. */
  readonly key: boolean
}

/** What a stream of packets carries. */
export interface VideoFormat {
  readonly codec: 'h264'
  /** Pixels; both sides even. */
  readonly width: number
  readonly height: number
  /** Pictures per second, nominally. */
  readonly fps: number
}

/** Ticks per second of `VideoPacket.pts`: the RTP clock of video (RFC 3551). */
export const VIDEO_CLOCK = 90_000

/** Takes packets, in order. */
export interface PacketSink {
  /** Settles when the packet is on its way. @throws AgentError SINK_FAILED */
  write(packet: VideoPacket): Promise<void>
  close(): Promise<void>
}

/** A stream that is offered to viewers. */
export interface StreamOffer {
  /** `/<service>/<output>/<input>` */
  readonly path: string
  readonly format: VideoFormat
  /** Whether anybody wants packets: nothing is to be encoded otherwise. */
  wanted(on: boolean): void
  /** Somebody needs a key packet, soon. */
  key(): void
  viewersChanged(count: number): void
}

/** Where the packets of an offered stream go. Neither ever waits or throws. */
export interface OfferedStream {
  write(packet: VideoPacket): void
  /** Ends it, and its viewers. */
  close(): void
}

/** Serves streams to viewers. */
export interface StreamServer {
  offer(offer: StreamOffer): OfferedStream
  /** Where viewers find a path. */
  url(path: string): string
}

/** A running stream that viewers may join. */
export interface LiveStream {
  readonly format: VideoFormat
  /**
   * Gives packets from now on, in order, until the function that it returns is called; the stream is
   * encoded meanwhile.
   * @param ended told when the stream is over, or goes on in another format
   */
  subscribe(take: (packet: VideoPacket) => void, ended: () => void): () => void
  /** Somebody needs a key packet, soon. */
  key(): void
}
