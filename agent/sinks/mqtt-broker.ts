import type { OutputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import type { Sink } from '../core/stages.ts'
import { decoded } from '../net/credentials.ts'
import { shownUrl } from '../net/shown-url.ts'
import { type BrokerLink, brokerLink } from './broker-link.ts'
import { CLOSING_MS, closedEarly, DEFAULT_TIMEOUT_MS, destination } from './destination.ts'
import { pending } from './pending.ts'
import { resultJson } from './result-json.ts'
import type { SinkContext } from './sink-context.ts'

const EXAMPLE = 'mqtt://user:password@host:1883/topic/{input}'
const MAX_BYTES = 4 * 1024 * 1024

/**
 * `mqtt(s)://user:password@host/topic`: each result as JSON to another broker, QoS 1; `{input}` in the topic
 * stands for the input's id. @throws AgentError SINK_UNSUPPORTED, SINK_FORBIDDEN, SINK_FAILED, LIMIT_EXCEEDED
 */
export function mqttBrokerSink(spec: OutputSpec, context: SinkContext): Sink {
  const place = destination(spec.url, context, EXAMPLE)
  const topic = topicOf(place.url)
  const name = shownUrl(place.url)
  const waiting = pending(name, MAX_BYTES)
  const closing = new AbortController()
  const timeoutMs = spec.timeoutMs ?? DEFAULT_TIMEOUT_MS
  let link: BrokerLink | undefined
  return {
    keepsFrames: true,
    async open() {
      const { signal } = closing
      link = await brokerLink({ ...place, timeoutMs, signal, lost: context.lost })
    },
    async write({ result }) {
      const broker = link
      if (!broker) throw closedEarly(`cannot send to ${name}`)
      const payload = Buffer.from(resultJson(result))
      const where = topic.replaceAll('{input}', result.input)
      await waiting.hold(payload.length, () => broker.publish(where, payload))
    },
    async close() {
      const open = link
      link = undefined
      if (open) await waiting.settled(CLOSING_MS)
      await open?.close()
      closing.abort(closedEarly(`cannot send to ${name}`))
    },
  }
}

function topicOf(url: URL): string {
  const topic = decoded(url.pathname.slice(1))
  if (topic !== '' && !url.hash && !url.search && !/[+#\0]|^\$/.test(topic)) return topic
  throw new AgentError(
    'SINK_UNSUPPORTED',
    `${shownUrl(url)} names no topic to publish on, or one with wildcards or a leading $ (allowed: ${EXAMPLE})`,
  )
}
