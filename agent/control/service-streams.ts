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
  readonly #open = new Map<number, { readonly id: StreamId; readonly stream: ServiceStream }>()

  constructor(parts: StreamsParts) {
    this.#parts = parts
  }

  /** A stream of the same number, or of the same path, ends. */
  open(number: number, id: StreamId, format: VideoFormat): void {
    this.close(number)
    for (const [other, open] of this.#open) if (pathOf(open.id) === pathOf(id)) this.close(other)
    const { service, server, topics, send } = this.#parts
    const stream = new ServiceStream({
      path: `/${service}/${pathOf(id)}`,
      format,
      server,
      wanted: (wanted) => send({ type: 'stream/wanted', stream: number, wanted }),
      key: () => send({ type: 'stream/key', stream: number }),
      publish: (status) => topics.retain(topicOf(id), status),
    })
    this.#open.set(number, { id, stream })
  }

  write(number: number, packet: VideoPacket): void {
    this.#open.get(number)?.stream.write(packet)
  }

  close(number: number): void {
    const open = this.#open.get(number)
    if (!open) return
    this.#open.delete(number)
    open.stream.end()
    this.#parts.topics.forget(topicOf(open.id))
  }

  /** The process is gone, and its streams with it. */
  clear(): void {
    for (const number of [...this.#open.keys()]) this.close(number)
  }

  /** By `<output>/<input>`. */
  get statuses(): Readonly<Record<string, StreamStatus>> {
    const open = [...this.#open.values()]
    return Object.fromEntries(open.map(({ id, stream }) => [pathOf(id), stream.status]))
  }

  /** The first stream of an input. */
  find(input: string): LiveStream | undefined {
    return [...this.#open.values()].find(({ id }) => id.input === input)?.stream
  }
}

const pathOf = ({ output, input }: StreamId): string => `${output}/${input}`
const topicOf = (id: StreamId): string => `stream/${pathOf(id)}`
