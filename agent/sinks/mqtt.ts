import type { OutputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import type { Sink } from '../core/stages.ts'
import { resultJson } from './result-json.ts'
import type { SinkContext } from './sink-context.ts'

/**
 * `mqtt:` publishes on the service's own topics (`detections/<input>`), `mqtt:<topic>` on another one
 * below a configured prefix; `{input}` stands for the input's id.
 * @throws AgentError SINK_FORBIDDEN
 */
export function mqttSink(spec: OutputSpec, context: SinkContext): Sink {
  const topic = spec.url.slice('mqtt:'.length)
  if (topic !== '') checkTopic(topic, context.topicPrefixes)
  return {
    open: async () => {},
    async write({ result, requested }) {
      const where =
        topic === ''
          ? { path: `${result.kind}/${result.input}` }
          : { topic: topic.replaceAll('{input}', result.input) }
      const payload = Buffer.from(resultJson(result))
      if (!context.event({ ...where, payload, qos: requested ? 1 : 0 })) context.dropped()
    },
    close: async () => {},
  }
}

function checkTopic(topic: string, prefixes: readonly string[]): void {
  const wrong =
    /[+#\0]/.test(topic) ||
    topic.length > 512 ||
    !prefixes.some((prefix) => topic.startsWith(prefix))
  if (!wrong) return
  throw new AgentError(
    'SINK_FORBIDDEN',
    `outputs may not publish on '${topic}' (allowed: topics without wildcards below ${prefixes.join(' ')}; setting outputs.topicPrefixes)`,
  )
}
