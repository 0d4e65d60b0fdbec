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

interface OpenStream {
  readonly id: StreamId
  readonly stream: ServiceStream
  /** Packets passed on so far. */
  passed: number
  /** After so many it ends. */
  last: number
}

/** The streams that a service's process offers: passes packets on, and back whether they are wanted. */
export class ServiceStreams {
  readonly #parts: StreamsParts
  readonly #open = new Map<number, OpenStream>()

  constructor(parts: StreamsParts) {
    this.#parts = parts
  }

  /** A stream of the same number, or of the same path, ends. */
  open(number: number, id: StreamId, format: VideoFormat): void {
    this.#end(number)
    for (const [other, open] of this.#open) if (pathOf(open.id) === pathOf(id)) this.#end(other)
    const { service, server, topics, send } = this.#parts
    const stream = new ServiceStream({
      path: `/${service}/${pathOf(id)}`,
      format,
      server,
      wanted: (wanted) => send({ type: 'stream/wanted', stream: number, wanted }),
      key: () => send({ type: 'stream/key', stream: number }),
      publish: (status) => topics.retain(topicOf(id), status),
    })
    this.#open.set(number, { id, stream, passed: 0, last: Number.POSITIVE_INFINITY })
  }

  write(number: number, packet: VideoPacket): void {
    const open = this.#open.get(number)
    if (!open) return
    open.stream.write(packet)
    open.passed += 1
    if (open.passed >= open.last) this.#end(number)
  }

  /** Ends a stream after its last one of so many packets. */
  close(number: number, packets: number): void {
    const open = this.#open.get(number)
    if (!open) return
    open.last = packets
    if (open.passed >= packets) this.#end(number)
  }

  #end(number: number): void {
    const open = this.#open.get(number)
    if (!open) return
    this.#open.delete(number)
    open.stream.end()
    this.#parts.topics.forget(topicOf(open.id))
  }

  /** The process is gone, and its streams with it. */
  clear(): void {
    for (const number of [...this.#open.keys()]) this.#end(number)
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
