import type { OutputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'
import type { Sink } from '../core/stages.ts'
import { fileSink } from './file.ts'
import { mqttSink } from './mqtt.ts'
import type { SinkContext } from './sink-context.ts'

type OpenSink = (spec: OutputSpec, context: SinkContext) => Sink

/** URL scheme → sink. A new destination is one file and one line here. */
const sinks: Readonly<Record<string, OpenSink>> = {
  'mqtt:': mqttSink,
  'file:': fileSink,
}

/** The schemes that outputs may have. */
export const sinkSchemes: readonly string[] = Object.keys(sinks)

/** Makes the sink of an output. @throws AgentError SINK_UNSUPPORTED, SINK_FORBIDDEN */
export function createSink(spec: OutputSpec, context: SinkContext): Sink {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(spec.url)?.[0].toLowerCase() ?? ''
  const open = sinks[scheme]
  if (!open) {
    throw new AgentError(
      'SINK_UNSUPPORTED',
      `no output writes to '${redact(spec.url)}' (known: ${sinkSchemes.join(' ')})`,
    )
  }
  return open(spec, context)
}
