import type { Server, Socket } from 'node:net'
import { sayAndClose } from './linger.ts'
import { problemAnswer } from './web-problem.ts'

/** How many connections there may be. */
export interface ConnectionLimits {
  readonly connections: number
  readonly connectionsPerAddress: number
}

/**
 * Turns away connections beyond the limits. @param plain whether the client can be told why: not before a TLS handshake
 * @returns whether a connection was turned away
 */
export function limitConnections(
  server: Server,
  limits: ConnectionLimits,
  plain: boolean,
): (socket: Socket) => boolean {
  const byAddress = new Map<string, number>()
  const refused = new WeakSet<Socket>()
  let all = 0
  const change = (address: string, by: 1 | -1): number => {
    const count = (byAddress.get(address) ?? 0) + by
    if (count > 0) byAddress.set(address, count)
    else byAddress.delete(address)
    all += by
    return count
  }
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    const reason = reasonFor(limits, all, change(address, 1))
    socket.once('close', () => change(address, -1))
    if (!reason) return
    refused.add(socket)
    if (!plain) return void socket.destroy()
    const problem = {
      status: 503,
      code: 'LIMIT_EXCEEDED',
      detail: reason,
      retryable: true,
    } as const
    sayAndClose(socket, problemAnswer(problem, '/'))
  })
  return (socket) => refused.has(socket)
}

function reasonFor(
  { connections, connectionsPerAddress }: ConnectionLimits,
  before: number,
  ofAddress: number,
): string | undefined {
  if (before >= connections) return `http.limits.connections (${connections}) are open`
  if (ofAddress <= connectionsPerAddress) return
  return `http.limits.connectionsPerAddress (${connectionsPerAddress}) are open from this address`
}
