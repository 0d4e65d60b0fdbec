import { expect, it } from 'vitest'
import { serviceTopics } from '../../../agent/control/service-topics.ts'
import { ServiceTraffic } from '../../../agent/control/service-traffic.ts'
import type { Bus } from '../../../agent/core/bus.ts'
import type { StreamOffer } from '../../../agent/core/video.ts'
import { createLog } from '../../../agent/log.ts'
import type { ToService } from '../../../agent/service/messages.ts'

const format = { codec: 'h264', width: 640, height: 360, fps: 30 } as const
const gate = { output: 'video', input: 'gate' }
const yard = { output: 'video', input: 'yard' }
const packet = { data: new Uint8Array(100), pts: 0, key: true }

const nowhere: Bus = {
  publish: () => undefined,
  onControl: () => undefined,
  onRefused: () => undefined,
  onFilters: () => undefined,
  subscribe: () => () => undefined,
}

/** The traffic of a service, whose streams are offered to nobody; what is written to them, or closed. */
function traffic() {
  const written: string[] = []
  const sent: ToService[] = []
  const offers: StreamOffer[] = []
  let published = 0
  const service = new ServiceTraffic({
    service: 'eyes',
    bus: nowhere,
    log: createLog({ level: 'silent', human: false }),
    topics: serviceTopics(nowhere, { root: 'edge', agent: 'lab' }, 'eyes'),
    topicPrefixes: [],
    streams: {
      offer(offer) {
        const index = offers.push(offer) - 1
        return {
          write: ({ pts }) => written.push(`${index}: ${pts}`),
          close: () => written.push(`${index}: end`),
        }
      },
      url: String,
    },
    send: (message) => sent.push(message),
    queuedBytes: () => 0,
    published: (bytes) => {
      published += bytes
    },
  })
  return { service, written, sent, offers, publishedBytes: () => published }
}

it('sends each packet to the stream of its number', () => {
  const { service, written, publishedBytes } = traffic()
  service.take({ type: 'stream/open', stream: 0, id: gate, format })
  service.take({ type: 'stream/open', stream: 1, id: yard, format })
  service.video(1, { ...packet, pts: 10 })
  service.video(0, { ...packet, pts: 20 })
  expect(written).toEqual(['1: 10', '0: 20'])
  expect(publishedBytes()).toBe(200)
})

it('drops packets of streams that are not open, and counts them as passed on', () => {
  const { service, written, publishedBytes } = traffic()
  service.video(0, packet)
  service.take({ type: 'stream/open', stream: 0, id: gate, format })
  service.take({ type: 'stream/close', stream: 0, packets: 0 })
  service.video(0, packet)
  expect(written).toEqual(['0: end'])
  expect(publishedBytes()).toBe(200)
})

it('ends a stream with its last packet, though word of the end comes first', () => {
  const { service, written } = traffic()
  service.take({ type: 'stream/open', stream: 0, id: gate, format })
  service.video(0, { ...packet, pts: 10 })
  service.take({ type: 'stream/close', stream: 0, packets: 3 })
  service.video(0, { ...packet, pts: 20 })
  service.video(0, { ...packet, pts: 30 })
  service.video(0, { ...packet, pts: 40 })
  expect(written).toEqual(['0: 10', '0: 20', '0: 30', '0: end'])
  expect(service.streams).toEqual({})
})

it('ends the streams of a process that is gone, whatever was to come', () => {
  const { service, written } = traffic()
  service.take({ type: 'stream/open', stream: 0, id: gate, format })
  service.take({ type: 'stream/close', stream: 0, packets: 3 })
  service.clear()
  expect(written).toEqual(['0: end'])
})

it('has a late packet reach no stream that took the place of its own', () => {
  const { service, written } = traffic()
  service.take({ type: 'stream/open', stream: 0, id: gate, format })
  service.take({ type: 'stream/open', stream: 1, id: gate, format })
  service.video(0, { ...packet, pts: 10 })
  service.video(1, { ...packet, pts: 20 })
  expect(written).toEqual(['0: end', '1: 20'])
  expect(Object.keys(service.streams)).toEqual(['video/gate'])
})

it('asks for pictures, and for key pictures, by the number of the stream', () => {
  const { service, sent, offers } = traffic()
  service.take({ type: 'stream/open', stream: 4, id: gate, format })
  offers[0]?.wanted(true)
  offers[0]?.key()
  expect(sent).toEqual([
    { type: 'stream/wanted', stream: 4, wanted: true },
    { type: 'stream/key', stream: 4 },
  ])
})
