import type { StreamStatus } from '../../schemas/state.ts'
import type {
  LiveStream,
  OfferedStream,
  StreamServer,
  VideoFormat,
  VideoPacket,
} from '../core/video.ts'
import type { StreamId, ToService } from '../service/messages.ts'
import type { ServiceTopics } from './service-topics.ts'

/** What the streams of a service need. */
export interface StreamsParts {
  readonly service: string
  readonly topics: ServiceTopics
  readonly server: StreamServer
  send(message: ToService): void
}

interface Stream extends LiveStream {
  readonly offered: OfferedStream
  readonly takers: Set<Taker>
  /** Says nothing about itself any more: another may have its name. */
  end(): void
}

interface Taker {
  take(packet: VideoPacket): void
  ended(): void
}

/** The streams that a service's process offers: passes packets on, and back whether they are wanted. */
export class ServiceStreams {
  readonly #parts: StreamsParts
  readonly #streams = new Map<string, Stream>()

  constructor(parts: StreamsParts) {
    this.#parts = parts
  }

  open(id: StreamId, format: VideoFormat): void {
    this.close(id)
    const { service, server, topics, send } = this.#parts
    const path = pathOf(id)
    const takers = new Set<Taker>()
    let viewers = 0
    let watched = false
    let wanted = false
    let open = true
    const demand = (): void => {
      if (!open) return
      const now = watched || takers.size > 0
      if (now !== wanted) send({ type: 'stream/wanted', stream: id, wanted: now })
      wanted = now
    }
    const status = (): void => {
      if (!open) return
      const { codec, width, height, fps } = format
      const url = server.url(`/${service}/${path}`)
      const size = { width, height, fps, viewers: viewers + takers.size }
      const value: StreamStatus = { url, protocol: 'rtsp', codec, ...size }
      topics.retain(topicOf(id), value)
    }
    const key = (): void => send({ type: 'stream/key', stream: id })
    const offered = server.offer({
      path: `/${service}/${path}`,
      format,
      wanted(on) {
        watched = on
        demand()
      },
      key,
      viewersChanged(count) {
        viewers = count
        status()
      },
    })
    this.#streams.set(path, {
      format,
      offered,
      takers,
      key,
      end() {
        open = false
        offered.close()
        for (const { ended } of [...takers]) ended()
      },
      subscribe(take, ended) {
        const taker = { take, ended }
        const changed = (): void => {
          demand()
          status()
        }
        takers.add(taker)
        changed()
        key()
        return () => {
          takers.delete(taker)
          changed()
        }
      },
    })
    status()
  }

  write(id: StreamId, packet: VideoPacket): void {
    const stream = this.#streams.get(pathOf(id))
    stream?.offered.write(packet)
    for (const { take } of stream?.takers ?? []) take(packet)
  }

  close(id: StreamId): void {
    const stream = this.#streams.get(pathOf(id))
    if (!stream) return
    this.#streams.delete(pathOf(id))
    stream.end()
    this.#parts.topics.forget(topicOf(id))
  }

  /** The process is gone, and its streams with it. */
  clear(): void {
    for (const path of [...this.#streams.keys()]) {
      const [output = '', input = ''] = path.split('/')
      this.close({ output, input })
    }
  }

  /** The first stream of an input. */
  find(input: string): LiveStream | undefined {
    return [...this.#streams].find(([path]) => path.endsWith(`/${input}`))?.[1]
  }
}

const pathOf = ({ output, input }: StreamId): string => `${output}/${input}`
const topicOf = (id: StreamId): string => `stream/${pathOf(id)}`
