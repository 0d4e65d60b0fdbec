import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { AgentError } from '../core/errors.ts'
import { isRtcp } from './rtcp.ts'

/** An even port for RTP and the next one for RTCP (RFC 3550, section 11), shared by all viewers of one address family. */
export interface UdpPorts {
  readonly rtp: Socket
  readonly rtcp: Socket
  readonly rtpPort: number
  /** Calls back for each report from there, until the returned function is called. */
  onReport(address: string, port: number, heard: () => void): () => void
  close(): void
}

const attempts = 100
/** A large picture for several viewers; the system may grant less. */
const sendBufferBytes = 4 * 1024 * 1024

/** Takes a pair of ports on `host`. @throws AgentError LIMIT_EXCEEDED: there is no free pair. */
export async function openUdpPorts(
  family: 4 | 6,
  host: string,
  failed: (error: Error) => void,
): Promise<UdpPorts> {
  const { rtp, rtcp } = await freePair(family, host)
  const listeners = new Map<string, Set<() => void>>()
  for (const socket of [rtp, rtcp]) {
    socket.on('error', failed)
    socket.unref()
  }
  rtp.setSendBufferSize(sendBufferBytes)
  rtcp.on('message', (data, { address, port }) => {
    if (!isRtcp(data)) return
    for (const heard of listeners.get(`${address} ${port}`) ?? []) heard()
  })
  return {
    rtp,
    rtcp,
    rtpPort: rtp.address().port,
    onReport(address, port, heard) {
      const key = `${address} ${port}`
      const heards = listeners.get(key) ?? new Set()
      listeners.set(key, heards.add(heard))
      return () => {
        heards.delete(heard)
        if (heards.size === 0) listeners.delete(key)
      }
    },
    close() {
      rtp.close()
      rtcp.close()
    },
  }
}

async function freePair(family: 4 | 6, host: string): Promise<{ rtp: Socket; rtcp: Socket }> {
  let cause: unknown
  for (let attempt = 0; attempt < attempts; attempt++) {
    const rtp = await bound(family, host, 0)
    const { port } = rtp.address()
    if (port % 2 === 0) {
      try {
        return { rtp, rtcp: await bound(family, host, port + 1) }
      } catch (error) {
        cause = error
      }
    }
    rtp.close()
  }
  throw new AgentError('LIMIT_EXCEEDED', `no two adjoining UDP ports are free on ${host}`, {
    cause,
    retryable: true,
  })
}

async function bound(family: 4 | 6, host: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: `udp${family}`, ipv6Only: family === 6 })
  try {
    socket.bind({ address: host, port, exclusive: true })
    await once(socket, 'listening')
    return socket
  } catch (error) {
    socket.close()
    throw error
  }
}
