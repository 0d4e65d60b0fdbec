import type { VideoFormat } from '../core/video.ts'
import type { Demand, ServedStream } from '../sinks/sink-context.ts'
import type { StreamId } from './messages.ts'
import type { Outbox } from './outbox.ts'

/** The streams that this process offers to the agent's RTSP server. */
export interface ServedStreams {
  open(id: StreamId, format: VideoFormat, demand: Demand): ServedStream
  /** Somebody began or ceased to watch. */
  wanted(stream: number, on: boolean): void
  /** Somebody needs a key picture. */
  key(stream: number): void
}

/** No streams yet. Each gets the next number: what comes late for one that has ended finds no other. */
export function servedStreams(outbox: Outbox): ServedStreams {
  const demands = new Map<number, Demand>()
  let next = 0
  return {
    open(id, format, demand) {
      const stream = next
      next += 1
      demands.set(stream, demand)
      outbox.send({ type: 'stream/open', stream, id, format })
      let lost = false
      let packets = 0
      return {
        write(packet) {
          if (lost && !packet.key) return
          lost = !outbox.video(stream, packet)
          if (lost) demand.key()
          else packets += 1
        },
        close() {
          demands.delete(stream)
          outbox.send({ type: 'stream/close', stream, packets })
        },
      }
    },
    wanted: (stream, on) => demands.get(stream)?.wanted(on),
    key: (stream) => demands.get(stream)?.key(),
  }
}
