import { AgentError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'

/** Where packets are pushed to. */
export interface PushTarget {
  readonly url: string
  /** As messages name it: without its password, and without the path of RTMP, which often is a secret key. */
  readonly name: string
  readonly protocol: 'rtsp' | 'rtmp'
}

/** @throws AgentError SINK_UNSUPPORTED for what is neither RTSP nor RTMP */
export function pushTarget(url: string): PushTarget {
  const [, scheme = ''] = /^([a-z]+):\/\//i.exec(url) ?? []
  const protocol = scheme.toLowerCase().replace(/s$/, '')
  const name = redact(url)
  if (protocol === 'rtsp') return { url, protocol, name }
  if (protocol === 'rtmp') return { url, protocol, name: name.replace(/\/[^/]*$/, '/***') }
  throw new AgentError(
    'SINK_UNSUPPORTED',
    `cannot push video to '${name}' (known: rtsp rtsps rtmp rtmps)`,
  )
}
