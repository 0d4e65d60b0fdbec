import type { InputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import type { Source } from '../core/stages.ts'
import type { SourceContext } from './context.ts'
import { samplesBy } from './iteration.ts'
import { listedSamples, type PictureList } from './still-samples.ts'

const place = 'the data: URI'

/** `data:` URIs (RFC 2397): one picture inside its URL. */
export function dataSource(spec: InputSpec, context: SourceContext): Source {
  const bytes = bytesOf(spec.url)
  if (bytes.length > context.limits.maxDownloadBytes) {
    throw new AgentError(
      'LIMIT_EXCEEDED',
      `${place} has ${bytes.length} bytes; allowed are ${context.limits.maxDownloadBytes} (limits.maxDownloadBytes)`,
    )
  }
  const list: PictureList = { place, names: [place], single: true, read: async () => bytes }
  return {
    live: false,
    samples: samplesBy((signal, events) => listedSamples({ list, spec, context }, signal, events)),
  }
}

function bytesOf(url: string): Buffer {
  const comma = url.indexOf(',')
  const head = comma < 0 ? url.slice(0, 60) : url.slice('data:'.length, comma)
  const [type = '', ...parameters] = head.split(';').map((part) => part.trim().toLowerCase())
  if (comma < 0 || !type.startsWith('image/')) {
    throw new AgentError(
      'SOURCE_UNSUPPORTED',
      `a data: URI of type '${type.slice(0, 60)}' is not read; data:image/…;base64,… is allowed`,
    )
  }
  const body = url.slice(comma + 1)
  return parameters.includes('base64') ? fromBase64(body) : fromPercent(body)
}

function fromBase64(body: string): Buffer {
  const text = body.includes('%') ? fromPercent(body).toString('latin1') : body
  if (/[^A-Za-z0-9+/=_\-\s]/.test(text)) throw damaged('base64')
  return Buffer.from(text, 'base64')
}

/** Bytes, not characters: a picture's bytes are seldom valid UTF-8. */
function fromPercent(body: string): Buffer {
  const plain = body.replace(/%([0-9a-f]{2})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
  if (/[^\0-\xff]/.test(plain)) throw damaged('percent')
  return Buffer.from(plain, 'latin1')
}

function damaged(encoding: string): AgentError {
  return new AgentError(
    'SOURCE_DECODE',
    `${place} holds characters that ${encoding} encoding has not`,
  )
}
