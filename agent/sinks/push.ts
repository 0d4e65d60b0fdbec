import type { OutputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'
import type { Sink } from '../core/stages.ts'
import type { PacketSink } from '../core/video.ts'
import { type AddressPolicy, addressPolicy } from '../net/addresses.ts'
import { resolvedAddress } from '../net/checked-address.ts'
import { forOutputs } from '../net/side.ts'
import { tlsTunnel } from '../net/tls-tunnel.ts'
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
      const url = spec.url.replaceAll('{input}', input)
      const target = new URL(url)
      const options = { ...format, timeoutMs }
      return target.protocol.endsWith('s:')
        ? await pushOverTls(target, policy, (near) => context.engine.push(near, options))
        : await context.engine.push(await checked(url, policy), options)
    }),
  )
}

/** FFmpeg takes any certificate, so it does not do TLS by itself. */
async function pushOverTls(
  target: URL,
  policy: AddressPolicy,
  push: (url: string) => Promise<PacketSink>,
): Promise<PacketSink> {
  const tunnel = await tlsTunnel(target, policy)
  const explained = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      throw tunnel.explained(error)
    }
  }
  const packets = await explained(push(tunnel.url)).catch((error: unknown) => {
    tunnel.close()
    throw error
  })
  return {
    write: (packet) => explained(packets.write(packet)),
    async close() {
      try {
        await explained(packets.close())
      } finally {
        tunnel.close()
      }
    },
  }
}

/** FFmpeg connects by itself: it gets the address that was checked. */
async function checked(url: string, policy: AddressPolicy): Promise<string> {
  const address = await resolvedAddress(new URL(url), policy)
  const host = address.includes(':') ? `[${address}]` : address
  return url.replace(/^([a-z]+:\/\/(?:[^/@]*@)?)(?:\[[^\]]*\]|[^:/?#]*)/i, `$1${host}`)
}
