import type { StreamOffer, VideoFormat, VideoPacket } from '../core/video.ts'
import type { ParameterSets } from '../mux/h264.ts'
import { streamDemand } from './demand.ts'
import { knownSets } from './known-sets.ts'
import type { RtspLimits } from './limits.ts'
import { packetizer, type RtpBurst } from './packetizer.ts'

/** Takes what a stream sends, while it plays. */
export interface Viewer {
  /** Whether it can do nothing without a key picture. */
  readonly waiting: boolean
  take(burst: RtpBurst): void
  /** The stream ends. */
  ended(): void
}

/** A stream that is offered. */
export interface OfferedStream {
  readonly path: string
  readonly format: VideoFormat
  readonly ssrc: number
  readonly viewers: number
  write(packet: VideoPacket): void
  /** Has the stream encoded and settles when its parameter sets are known; undefined if that takes too long. */
  describe(): Promise<ParameterSets | undefined>
  /** Somebody is about to play: keeps the encoder going for a while. */
  expect(): void
  join(viewer: Viewer): void
  leave(viewer: Viewer): void
  askKey(): void
  close(): void
}

/** Packetizes once for all viewers; a slow one is its own affair. */
export function offeredStream(
  offer: StreamOffer,
  limits: Pick<RtspLimits, 'describeMs' | 'lingerMs' | 'keyMs'>,
): OfferedStream {
  const { path, format } = offer
  const rtp = packetizer()
  const viewers = new Set<Viewer>()
  const sets = knownSets()
  const demand = streamDemand({
    wanted: (on) => offer.wanted(on),
    key: () => offer.key(),
    waiting: () => sets.awaited || [...viewers].some(({ waiting }) => waiting),
    ...limits,
  })
  return {
    ...{ path, format, ssrc: rtp.ssrc, askKey: demand.askKey },
    get viewers() {
      return viewers.size
    },
    write(packet) {
      if (packet.key) sets.learn(packet.data)
      if (viewers.size > 0) share(rtp.packetize(packet), viewers)
    },
    describe() {
      demand.hold()
      const found = sets.get(limits.describeMs)
      if (sets.awaited) demand.askKey()
      return found.finally(demand.release)
    },
    expect() {
      demand.hold()
      demand.release()
    },
    join(viewer) {
      viewers.add(viewer)
      demand.hold()
      demand.askKey()
      offer.viewersChanged(viewers.size)
    },
    leave(viewer) {
      if (!viewers.delete(viewer)) return
      demand.release()
      offer.viewersChanged(viewers.size)
    },
    close() {
      sets.giveUp()
      for (const viewer of [...viewers]) viewer.ended()
      demand.close()
    },
  }
}

function share(burst: RtpBurst, viewers: ReadonlySet<Viewer>): void {
  if (burst.packets.length === 0) return
  for (const viewer of [...viewers]) viewer.take(burst)
}
