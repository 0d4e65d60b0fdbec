import type { Bus } from '../core/bus.ts'
import { AgentError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { LiveStream, StreamServer, VideoPacket } from '../core/video.ts'
import type { FromService, ToService } from '../service/messages.ts'
import { imageForwarder } from './image-forwarder.ts'
import { ServiceStreams } from './service-streams.ts'
import type { ServiceTopics } from './service-topics.ts'

/** Messages between a service's process and the world, which say nothing of the service's state. */
export type Traffic = Extract<
  FromService,
  { type: 'event' | 'stream/open' | 'stream/close' | 'feed' | 'log' }
>

/** What the traffic of a service needs. */
export interface TrafficParts {
  readonly service: string
  readonly bus: Bus
  readonly log: Log
  readonly topics: ServiceTopics
  readonly topicPrefixes: readonly string[]
  readonly streams: StreamServer
  send(message: ToService): void
  /** Bytes on their way to the process. */
  queuedBytes(): number
  /** So many bytes of the process's messages have been passed on. */
  published(bytes: number): void
}

/** Passes on what a service's process sends, within what it may. */
export class ServiceTraffic {
  readonly #parts: TrafficParts
  readonly #images
  readonly #streams: ServiceStreams

  constructor(parts: TrafficParts) {
    this.#parts = parts
    this.#images = imageForwarder(parts)
    this.#streams = new ServiceStreams({ ...parts, server: parts.streams })
  }

  take(message: Traffic): void {
    switch (message.type) {
      case 'event':
        this.#forward(message)
        return
      case 'stream/open':
        this.#streams.open(message.stream, message.id, message.format)
        return
      case 'stream/close':
        this.#streams.close(message.stream, message.packets)
        return
      case 'feed':
        this.#images.feed(message.topic, message.on)
        return
      case 'log': {
        const { service, log } = this.#parts
        log[message.level]({ service, ...message.fields }, message.message)
      }
    }
  }

  /** A packet of a stream that is not open goes nowhere, and counts as passed on all the same. */
  video(stream: number, packet: VideoPacket): void {
    this.#streams.write(stream, packet)
    this.#parts.published(packet.data.byteLength)
  }

  /** The stream that shows an input. */
  live(input: string): LiveStream | undefined {
    return this.#streams.find(input)
  }

  /** What can be watched, by `<output>/<input>`. */
  get streams() {
    return this.#streams.statuses
  }

  /** The process is gone. */
  clear(): void {
    this.#images.clear()
    this.#streams.clear()
  }

  /** The process may publish below its own topics, and where outputs may point; nowhere else. */
  #forward({ path, topic, payload, qos }: Extract<FromService, { type: 'event' }>): void {
    const { bus, topics, topicPrefixes, published } = this.#parts
    if (path !== undefined && OWN_PATH.test(path)) topics.bytes(path, payload, qos)
    else if (topic !== undefined && topicPrefixes.some((prefix) => topic.startsWith(prefix)))
      bus.publish(topic, payload, { qos, retain: false })
    else
      topics.error(
        new AgentError('SINK_FORBIDDEN', `the process may not publish on '${path ?? topic}'`),
      )
    published(payload.byteLength)
  }
}

const OWN_PATH = /^(?:detections|preview)\/[a-z0-9][a-z0-9_-]{0,62}$/
