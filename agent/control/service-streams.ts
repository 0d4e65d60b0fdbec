import type { StreamStatus } from '../../schemas/state.ts'
import type { LiveStream, StreamServer, VideoFormat, VideoPacket } from '../core/video.ts'
import type { StreamId, ToService } from '../service/messages.ts'
import { ServiceStream } from './service-stream.ts'
import type { ServiceTopics } from './service-topics.ts'

/** What the streams of a service need. */
export interface StreamsParts {
  readonly service: string
  readonly topics: ServiceTopics
  readonly server: StreamServer
  send(message: ToService): void
}

/** The streams that a service's process offers: passes packets on, and back whether they are wanted. */
export class ServiceStreams {
  readonly #parts: StreamsParts
  readonly #streams = new Map<string, { readonly id: StreamId; readonly stream: ServiceStream }>()

  constructor(parts: StreamsParts) {
    this.#parts = parts
  }

  open(id: StreamId, format: VideoFormat): void {
    this.close(id)
    const { service, server, topics, send } = this.#parts
    const stream = new ServiceStream({
      path: `/${service}/${pathOf(id)}`,
      format,
      server,
      wanted: (wanted) => send({ type: 'stream/wanted', stream: id, wanted }),
      key: () => send({ type: 'stream/key', stream: id }),
      publish: (status) => topics.retain(topicOf(id), status),
    })
    this.#streams.set(pathOf(id), { id, stream })
  }

  write(id: StreamId, packet: VideoPacket): void {
    this.#streams.get(pathOf(id))?.stream.write(packet)
  }

  close(id: StreamId): void {
    const open = this.#streams.get(pathOf(id))
    if (!open) return
    this.#streams.delete(pathOf(id))
    open.stream.end()
    this.#parts.topics.forget(topicOf(id))
  }

  /** The process is gone, and its streams with it. */
  clear(): void {
    for (const { id } of [...this.#streams.values()]) this.close(id)
  }

  /** By `<output>/<input>`. */
  get statuses(): Readonly<Record<string, StreamStatus>> {
    return Object.fromEntries([...this.#streams].map(([path, { stream }]) => [path, stream.status]))
  }

  /** The first stream of an input. */
  find(input: string): LiveStream | undefined {
    return [...this.#streams.values()].find(({ id }) => id.input === input)?.stream
  }
}

const pathOf = ({ output, input }: StreamId): string => `${output}/${input}`
const topicOf = (id: StreamId): string => `stream/${pathOf(id)}`
