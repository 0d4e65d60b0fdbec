import { isIPv6, type Socket } from 'node:net'
import type { Session } from './session.ts'

/** The client at the other end of a connection. */
export interface Peer {
  readonly socket: Socket
  /** Its address; that of IPv4 without IPv6's prefix. */
  readonly address: string
  readonly family: 4 | 6
  /** The sessions that it has; also those that another of its connections set up. */
  readonly sessions: Set<Session>
  /** Ids of sessions that ended with a goodbye, and that the client may still tear down. */
  readonly bidden: Set<string>
  /** Channels in use: each stands for itself and the next. */
  readonly channels: Set<number>
}

/** The client of a connection that just came. */
export function peerOf(socket: Socket): Peer {
  const address = ownFamily(socket.remoteAddress)
  return {
    socket,
    address,
    family: isIPv6(address) ? 6 : 4,
    sessions: new Set(),
    bidden: new Set(),
    channels: new Set(),
  }
}

/** An IPv4 address in the form of IPv6, as sockets for both have them, is an IPv4 address. */
export function ownFamily(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '')
}
