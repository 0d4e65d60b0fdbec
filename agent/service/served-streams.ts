import type { VideoFormat } from '../core/video.ts'
import type { Demand, ServedStream } from '../sinks/sink-context.ts'
import type { StreamId } from './messages.ts'
import type { Outbox } from './outbox.ts'

/** The streams that this process offers to the agent's RTSP server. */
export interface ServedStreams {
  open(stream: StreamId, format: VideoFormat, demand: Demand): ServedStream
  /** Somebody began or ceased to watch. */
  wanted(stream: StreamId, on: boolean): void
  /** Somebody needs a key picture. */
  key(stream: StreamId): void
}

/** No streams yet. */
export function servedStreams(outbox: Outbox): ServedStreams {
  const demands = new Map<string, Demand>()
  return {
    open(stream, format, demand) {
      const name = nameOf(stream)
      demands.set(name, demand)
      outbox.send({ type: 'stream/open', stream, format })
      let lost = false
      return {
        write(packet) {
          if (lost && !packet.key) return
          lost = !outbox.video({ stream, packet })
          if (lost) demand.key()
        },
        close() {
          if (demands.get(name) === demand) demands.delete(name)
          outbox.send({ type: 'stream/close', stream })
        },
      }
    },
    wanted: (stream, on) => demands.get(nameOf(stream))?.wanted(on),
    key: (stream) => demands.get(nameOf(stream))?.key(),
  }
}

const nameOf = ({ output, input }: StreamId): string => `${output}/${input}`
