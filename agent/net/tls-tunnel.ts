import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { pipeline } from 'node:stream'
import { AgentError } from '../core/errors.ts'
import type { AddressPolicy } from './addresses.ts'
import { connect } from './connect.ts'
import { connectionProblem } from './connection-problem.ts'
import { shownUrl } from './shown-url.ts'

/** What is on its way when a tunnel is closed has this long to arrive, ms. */
const LEAVING_MS = 2000

/** A way to a TLS server for programs that would take any certificate: they connect to it without TLS. */
export interface TlsTunnel {
  /** `rtsps://user@media.example/live` → `rtsp://user@127.0.0.1:41234/live` */
  readonly url: string
  /** The same failure as it is beyond the tunnel: the server's name, and why TLS failed. */
  explained(error: unknown): AgentError
  close(): void
}

/**
 * Listens on the loopback address for one connection at a time, and passes its bytes on over TLS with a verified
 * certificate, under the address policy. Knows no secrets: who else connects gets no further than by himself.
 *
 * @param target its scheme ends in `s`
 */
export async function tlsTunnel(target: URL, policy: AddressPolicy): Promise<TlsTunnel> {
  let failure: AgentError | undefined
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const failed = (error: unknown): void => {
      failure ??= connectionProblem(target, error, policy.side)
      near.destroy()
    }
    try {
      const far = connect(target, policy)
      for (const socket of [near, far]) {
        open.add(socket)
        socket.once('close', () => open.delete(socket))
      }
      far.once('error', failed)
      pipeline(near, far, near, () => undefined)
    } catch (error) {
      failed(error)
    }
  })
  server.maxConnections = 1
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const local = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: throughTunnel(target, local),
    explained(error) {
      if (failure) return failure
      const { code, message, retryable } = AgentError.from(error, policy.side.failed)
      const { host } = new URL(shownUrl(target))
      return new AgentError(code, message.replaceAll(local, host), { cause: error, retryable })
    },
    close() {
      server.close()
      // What was written last is still on its way: the far end closes when the near one has.
      setTimeout(() => {
        for (const socket of open) socket.destroy()
      }, LEAVING_MS).unref()
    },
  }
}

function throughTunnel(target: URL, local: string): string {
  const scheme = target.protocol.replace(/s:$/, ':')
  const [, user = ''] = /^[a-z]+:\/\/([^/@]*@)?/.exec(target.href) ?? []
  return `${scheme}//${user}${local}${target.pathname}${target.search}`
}
