import type { OutputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'
import type { Sink } from '../core/stages.ts'
import { type AddressPolicy, addressPolicy } from '../net/addresses.ts'
import { resolvedAddress } from '../net/checked-address.ts'
import { forOutputs } from '../net/side.ts'
import type { SinkContext } from './sink-context.ts'
import { always, videoSink } from './video-sink.ts'

const TIMEOUT_MS = 5000

/**
 * `rtsp(s)://…` and `rtmp(s)://…` — annotated video, pushed to another server without a pause; `{input}`
 * stands for the input's id. @throws AgentError SINK_FORBIDDEN, SINK_UNSUPPORTED
 */
export function pushSink(spec: OutputSpec, context: SinkContext): Sink {
  const policy = addressPolicy(context.addresses, forOutputs)
  if (!URL.canParse(spec.url)) {
    throw new AgentError('SINK_UNSUPPORTED', `'${redact(spec.url)}' is no URL to push video to`)
  }
  const timeoutMs = spec.timeoutMs ?? TIMEOUT_MS
  return videoSink(
    spec,
    context,
    always(async (input, format) => {
      const target = await checked(spec.url.replaceAll('{input}', input), policy)
      return context.engine.push(target, { ...format, timeoutMs })
    }),
  )
}

/** FFmpeg connects by itself: it gets the address that was checked, or a name where a certificate has one. */
async function checked(url: string, policy: AddressPolicy): Promise<string> {
  const parsed = new URL(url)
  const address = await resolvedAddress(parsed, policy)
  if (/s:$/.test(parsed.protocol)) return url
  const host = address.includes(':') ? `[${address}]` : address
  return url.replace(/^([a-z]+:\/\/(?:[^/@]*@)?)(?:\[[^\]]*\]|[^:/?#]*)/i, `$1${host}`)
}
