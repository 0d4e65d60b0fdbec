import type { VideoFormat, VideoPacket } from '../core/video.ts'

/** A running stream that viewers may join. */
export interface LiveStream {
  readonly format: VideoFormat
  /**
   * Gives packets from now on, in order, until the function that it returns is called.
   * @param ended told when the stream is over, or goes on in another format
   */
  subscribe(take: (packet: VideoPacket) => void, ended: () => void): () => void
  /** Somebody needs a key picture, soon. */
  key(): void
}
