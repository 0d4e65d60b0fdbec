import type { InputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'
import type { Source } from '../core/stages.ts'
import type { SourceContext, SourceFactory } from './context.ts'
import { fileSource } from './file.ts'

/** URL scheme → source. A new source is one file and one line here. */
const sources: Readonly<Record<string, SourceFactory>> = {
  'file:': fileSource,
}

/**
 * The source that reads `spec.url`; a URL without a scheme is a path. Nothing is opened yet.
 * @throws AgentError SOURCE_UNSUPPORTED, SOURCE_FORBIDDEN
 */
export function createSource(spec: InputSpec, context: SourceContext): Source {
  if (spec.region) {
    throw new AgentError(
      'SOURCE_UNSUPPORTED',
      `the input option 'region' is not there yet: ${JSON.stringify(spec.region)}; leave it out to look at the whole picture`,
    )
  }
  return factoryOf(spec.url)(spec, context)
}

function factoryOf(url: string): SourceFactory {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0].toLowerCase()
  const factory = scheme === undefined ? fileSource : sources[scheme]
  if (factory) return factory
  throw new AgentError(
    'SOURCE_UNSUPPORTED',
    `no source for '${redact(url).slice(0, 200)}' (known: ${Object.keys(sources).join(' ')} and plain paths)`,
  )
}
