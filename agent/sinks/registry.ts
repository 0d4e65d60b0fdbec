import type { OutputSpec } from '../../schemas/control.ts'
import { schemeOf } from '../../schemas/urls.ts'
import { AgentError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'
import type { Sink } from '../core/stages.ts'
import { fileSink } from './file.ts'
import { mqttSink } from './mqtt.ts'
import { mqttBrokerSink } from './mqtt-broker.ts'
import { pushSink } from './push.ts'
import { rtspSink } from './rtsp.ts'
import type { SinkContext } from './sink-context.ts'
import { webSocketSink } from './web-socket.ts'
import { webhookSink } from './webhook.ts'

type OpenSink = (spec: OutputSpec, context: SinkContext) => Sink

/** URL scheme → sink. A new destination is one file and one line here. */
const sinks: Readonly<Record<string, OpenSink>> = {
  'mqtt:': (spec, context) =>
    (spec.url.slice('mqtt:'.length).startsWith('//') ? mqttBrokerSink : mqttSink)(spec, context),
  'mqtts:': mqttBrokerSink,
  'http:': webhookSink,
  'https:': webhookSink,
  'ws:': webSocketSink,
  'wss:': webSocketSink,
  'file:': fileSink,
  'rtsp:': (spec, context) =>
    (spec.url.toLowerCase() === 'rtsp:' ? rtspSink : pushSink)(spec, context),
  'rtsps:': pushSink,
  'rtmp:': pushSink,
  'rtmps:': pushSink,
}

/** The schemes that have a sink. */
export const knownSinks: readonly string[] = Object.keys(sinks)

/** Makes the sink of an output. @throws AgentError SINK_UNSUPPORTED, SINK_FORBIDDEN */
export function createSink(spec: OutputSpec, context: SinkContext): Sink {
  const open = sinks[schemeOf(spec.url)]
  if (!open) {
    throw new AgentError(
      'SINK_UNSUPPORTED',
      `no output writes to '${redact(spec.url)}' (known: ${knownSinks.join(' ')})`,
    )
  }
  return open(spec, context)
}
