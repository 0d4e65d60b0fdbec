import type { Readable } from 'node:stream'
import type { Bus, Delivery } from '../../../agent/core/bus.ts'
import { EventLog } from '../../../agent/events/event-log.ts'
import { book } from '../../broker/harness.ts'

/** A tapped bus, and what it passed on. */
export function watched(limits: { historyCount?: number; historyBytes?: number } = {}) {
  const passed: string[] = []
  const nothing = (): void => {}
  const bus: Bus = {
    publish: (topic) => void passed.push(topic),
    onControl: nothing,
    onRefused: nothing,
    onFilters: nothing,
    subscribe: () => nothing,
  }
  const log = new EventLog({
    book,
    boot: '0badcafe-1111-4222-8333-444444444444',
    limits: { historyCount: 1000, historyBytes: 1 << 20, ...limits },
  })
  const tapped = log.tap(bus)
  const publish = (path: string, value: unknown, delivery: Delivery): void =>
    tapped.publish(`edge/1/a1/${path}`, value === '' ? '' : JSON.stringify(value), delivery)
  return {
    log,
    passed,
    bus: tapped,
    /** Of QoS 1. */
    event: (path: string, value: unknown) => publish(path, value, { qos: 1, retain: false }),
    flow: (path: string, value: unknown) => publish(path, value, { qos: 0, retain: false }),
    retain: (path: string, value: unknown) => publish(path, value, { qos: 1, retain: true }),
  }
}

/** One block of an event stream: its fields. */
export type Block = Readonly<Record<string, string>>

/** Everything that waits in a stream, read at once; each block's fields. */
export function blocksIn(stream: Readable): Block[] {
  let text = ''
  for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) text += chunk
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) =>
      Object.fromEntries(
        block.split('\n').map((line) => {
          const at = line.indexOf(':')
          return [line.slice(0, at), line.slice(at + 1).trim()]
        }),
      ),
    )
}

/** What was published, as `topic=payload`; the stream's own events by their name. */
export function eventsIn(stream: Readable): string[] {
  return blocksIn(stream)
    .filter(({ data }) => data !== undefined)
    .map(({ event = '', data = '' }) => {
      const { service, topic, payload, ...own } = JSON.parse(data)
      if (topic === undefined) return `${event} ${JSON.stringify(own)}`
      return `${service ? `${service}/` : ''}${topic}=${JSON.stringify(payload)}`
    })
}
