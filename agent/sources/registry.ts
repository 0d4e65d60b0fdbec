import type { InputSpec } from '../../schemas/control.ts'
import { schemeOf } from '../../schemas/urls.ts'
import { AgentError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'
import type { Source } from '../core/stages.ts'
import type { SourceContext, SourceFactory } from './context.ts'
import { dataSource } from './data.ts'
import { fileSource } from './file.ts'
import { httpSource } from './http.ts'
import { mqttSource } from './mqtt.ts'
import { syntheticSource } from './synthetic.ts'
import { uploadSource } from './upload.ts'

/** URL scheme → source. A new source is one file and one line here. */
const sources: Readonly<Record<string, SourceFactory>> = {
  'file:': fileSource,
  'http:': httpSource,
  'https:': httpSource,
  'data:': dataSource,
  'mqtt:': mqttSource,
  'synthetic:': syntheticSource,
}

/** The schemes that have a source. */
export const knownSchemes: readonly string[] = Object.keys(sources)

/**
 * The source that reads `spec.url`; a URL without a scheme is a path. Nothing is opened yet.
 * @throws AgentError SOURCE_UNSUPPORTED, SOURCE_FORBIDDEN, LIMIT_EXCEEDED
 */
export function createSource(spec: InputSpec, context: SourceContext): Source {
  if (spec.region) {
    throw new AgentError(
      'SOURCE_UNSUPPORTED',
      `the input option 'region' is not there yet: ${JSON.stringify(spec.region)}; leave it out to look at the whole picture`,
    )
  }
  if (context.upload) return uploadSource(spec, context)
  const factory = sources[schemeOf(spec.url)]
  if (factory) return factory(spec, context)
  throw new AgentError(
    'SOURCE_UNSUPPORTED',
    `no source for '${redact(spec.url).slice(0, 200)}' (known: ${knownSchemes.join(' ')} and plain paths)`,
  )
}
