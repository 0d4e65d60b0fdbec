import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as passed } from 'node:timers/promises'
import { gatekeeper } from './auth.ts'
import type { Hall } from './hall.ts'
import { carryOut } from './methods.ts'
import { type Peer, peerOf } from './peer.ts'
import { type Incoming, type RtspRequest, requestReader } from './request.ts'
import { type RtspResponse, responseText, type Status } from './response.ts'

/** One client's connection. */
export interface Connection {
  /** Whether it has stayed without a session for too long. */
  expired(now: number): boolean
  close(): void
}

/** How long a client may take to read the last answer. */
const partingMs = 1000

/** Answers a client's requests, one after another, until either side closes. */
export function serveConnection(socket: Socket, hall: Hall, closed: () => void): Connection {
  const peer = peerOf(socket)
  let idleSince = performance.now()
  socket.on('error', () => undefined)
  socket.once('close', () => {
    for (const session of [...peer.sessions]) {
      if (session.carrier.kind === 'tcp' || session.state === 'ready') session.end(false)
      else session.orphaned()
    }
    closed()
  })
  void converse(peer, hall)
  return {
    expired(now) {
      if (peer.sessions.size > 0) idleSince = now
      return now - idleSince > hall.limits.connectionMs
    },
    close: () => part(socket),
  }
}

/** Whatever a client does ends its own connection at most. */
async function converse(peer: Peer, hall: Hall): Promise<void> {
  const { socket } = peer
  try {
    await answerAll(peer, hall)
  } catch (error) {
    if (!socket.destroyed) hall.log.error({ viewer: peer.address, error }, 'a connection broke')
  }
  part(socket)
}

async function answerAll(peer: Peer, hall: Hall): Promise<void> {
  const { socket } = peer
  const { limits, tally } = hall
  const read = requestReader(limits)
  const bytes = perSecond(limits.bytesPerSecond)
  const answer = answers(peer, hall)
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    if (!bytes(chunk.length)) return tally.count('badRequests', `${peer.address}: too many bytes`)
    for (const incoming of read(chunk)) {
      if (!(await answer(incoming))) return
      // Who does not read its answers gets no further ones. A viewer's queue has its own limit.
      if (socket.writableNeedDrain && peer.sessions.size === 0) await once(socket, 'drain')
    }
  }
}

/** Answers what one client sends; tells whether the connection goes on. */
function answers(peer: Peer, hall: Hall): (incoming: Incoming) => Promise<boolean> {
  const { limits, tally } = hall
  const requests = perSecond(limits.requestsPerSecond)
  const admit = admission(peer, hall)

  function reply(response: RtspResponse, cseq?: string): void {
    if (!peer.socket.destroyed) peer.socket.write(responseText(response, cseq))
  }
  function refuse(status: Status, why: string, cseq?: string): false {
    tally.count('badRequests', `${peer.address}: ${why}`)
    reply({ status }, cseq)
    return false
  }
  return async (incoming) => {
    if (incoming.kind === 'data') {
      for (const session of peer.sessions) session.alive()
      return true
    }
    if (incoming.kind === 'fault') return refuse(incoming.status, `status ${incoming.status}`)
    const { request } = incoming
    if (!requests(1)) return refuse(503, 'too many requests', request.cseq)
    const toReply = (response: RtspResponse) => reply(response, request.cseq)
    const admitted = await admit(request, toReply)
    if (admitted !== 'yes') return admitted === 'not yet'
    await carryOut({ hall, peer, request, reply: toReply })
    return request.headers.get('connection')?.toLowerCase() !== 'close'
  }
}

type Admitted = 'yes' | 'not yet' | 'never'

/** Lets pass who has the right credentials; refuses the others. */
function admission({ address }: Peer, { users, limits, tally }: Hall) {
  const gate = gatekeeper(users, limits.nonceMs)
  let wrong = 0
  return async (
    request: RtspRequest,
    reply: (response: RtspResponse) => void,
  ): Promise<Admitted> => {
    const verdict = request.method === 'OPTIONS' ? 'welcome' : gate.judge(request)
    if (verdict === 'welcome') return 'yes'
    if (verdict === 'wrong') {
      wrong += 1
      tally.count('wrongPasswords', address)
      await passed(limits.wrongPasswordMs)
    }
    reply({ status: 401, headers: gate.challenges(verdict) })
    return wrong < limits.wrongPasswords ? 'not yet' : 'never'
  }
}

/** Lets what was written arrive: closing with bytes unread would reset the connection. */
function part(socket: Socket): void {
  if (socket.destroyed) return
  socket.end()
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), partingMs)
  socket.once('close', () => clearTimeout(timer))
}

/** Whether as much more still is within what one second allows. */
function perSecond(allowed: number): (count: number) => boolean {
  let left = allowed
  let began = performance.now()
  return (count) => {
    const now = performance.now()
    if (now - began >= 1000) {
      left = allowed
      began = now
    }
    left -= count
    return left >= 0
  }
}
