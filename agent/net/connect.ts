import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { AddressPolicy } from './addresses.ts'
import { checkedAddress } from './checked-address.ts'

/**
 * A connection to `url` that is being made, under the address policy; over TLS, with a verified certificate,
 * where the scheme ends in `s`. @throws AgentError *_FORBIDDEN for a refused IP address
 */
export function connect(url: URL, policy: AddressPolicy): Socket {
  // Small messages must not wait for the acknowledgement of the one before (Nagle).
  return opened(url, policy).setNoDelay(true)
}

function opened(url: URL, policy: AddressPolicy): Socket {
  const address = checkedAddress(url, policy)
  const options = { ...address, keepAlive: true }
  if (!url.protocol.endsWith('s:')) return connectTcp(options)
  const servername = isIP(address.host) ? {} : { servername: address.host }
  return connectTls({ ...options, ...servername, rejectUnauthorized: true })
}
