import type { Duplex } from 'node:stream'
import type { AedesOptions, Client, ConnectPacket, PublishPacket, Subscription } from 'aedes'
import type { AddressBook } from '../schemas/address.ts'
import { deliveryWindow, divert, markPublisher } from './aedes-mends.ts'
import { type Audience, arrivalOf } from './bus.ts'
import type { Connection } from './connection.ts'
import { filterProblem, judgePublish } from './guard.ts'
import type { Handshakes } from './handshakes.ts'
import type { Limits } from './limits.ts'
import type { Mishaps } from './mishaps.ts'

/** What the broker knows of one connected client. */
export interface Member {
  readonly connection: Connection
  readonly filters: Set<string>
  /** Whether any filter was granted QoS 1 or 2. */
  reliable: boolean
  readonly isNew: (counter: number) => boolean
  refusal?: Refusal
  /** Sends retained messages for newly granted filters. */
  replay: (granted: readonly Subscription[]) => void
}

interface Refusal {
  readonly returnCode: 2 | 3
  readonly message: string
}

interface Parts {
  readonly book: AddressBook
  readonly limits: Limits
  readonly members: Map<Duplex, Member>
  readonly granted: WeakSet<object>
  readonly handshakes: Handshakes
  readonly audience: Audience
  readonly tally: Mishaps
}

/** A client that has just connected. */
export function member(connection: Connection): Member {
  return {
    connection,
    filters: new Set(),
    reliable: false,
    isNew: deliveryWindow(),
    replay: () => undefined,
  }
}

/** Who may connect, publish and subscribe, and what is forwarded: the broker's rules as Aedes asks for them. */
export function admission(parts: Parts) {
  return {
    ...connecting(parts),
    authorizePublish: publishing(parts),
    authorizeSubscribe: subscribing(parts),
    authorizeForward: forwarding(parts),
  } satisfies AedesOptions
}

function connecting({ book, limits, members, tally }: Parts) {
  function refusalOf({ clientId, clean }: ConnectPacket): Refusal | undefined {
    if (members.size > limits.clients) return { returnCode: 3, message: 'too many clients' }
    const nameless = clientId === '' && clean === false
    if (nameless || clientId.length > limits.clientIdLength || /[\0\uFFFD]/.test(clientId)) {
      return { returnCode: 2, message: 'client id not acceptable' }
    }
    return
  }

  const preConnect: AedesOptions['preConnect'] = (client, packet, done) => {
    const { will } = packet
    const verdict = will && judgePublish(book, limits, { qos: 0, retain: false, ...will })
    if (verdict?.kind === 'violation') return done(new Error(`Will: ${verdict.problem}`), false)
    const known = members.get(client.conn)
    const refusal = refusalOf(packet)
    if (known && refusal) known.refusal = refusal
    done(null, true)
  }
  const authenticate: AedesOptions['authenticate'] = (client, _user, _password, done) => {
    const known = members.get(client.conn)
    const refusal = known?.refusal
    if (refusal) {
      tally.count(
        'refusedConnections',
        `${client.id.slice(0, limits.clientIdLength)}: ${refusal.message}`,
      )
      return done(Object.assign(new Error(refusal.message), refusal), null)
    }
    known?.connection.accept()
    done(null, true)
  }
  return { preConnect, authenticate }
}

function publishing(parts: Parts): NonNullable<AedesOptions['authorizePublish']> {
  const { book, limits, handshakes, audience, tally } = parts

  /** Reports and routes a publish; returns why the connection must end, if so. */
  function admit(client: Client, packet: PublishPacket): string | undefined {
    const verdict = judgePublish(book, limits, packet)
    if (verdict.kind === 'violation') return verdict.problem
    const repeated = handshake(handshakes, client, packet)
    if (repeated === 'full') return `more than ${limits.openHandshakes} open QoS 2 handshakes`
    if (repeated === 'duplicate') {
      divert(packet)
      return
    }
    markPublisher(packet, client)
    const arrival = arrivalOf(packet, client.id)
    if (verdict.kind === 'control') audience.control(arrival)
    if (verdict.kind === 'refused') {
      divert(packet)
      tally.count('refusedPublishes', `${client.id} on ${arrival.topic}: ${verdict.reason}`)
      audience.refused(arrival, verdict.reason)
    }
    return
  }

  return (client, packet, done) => {
    const problem = client ? admit(client, packet) : 'no client'
    done(problem ? new Error(problem) : null)
  }
}

function handshake(open: Handshakes, client: Client, { qos, messageId }: PublishPacket) {
  // A Will has no packet id.
  if (qos !== 2 || messageId === undefined) return 'new'
  return open.open(client.id, messageId)
}

function subscribing(parts: Parts): NonNullable<AedesOptions['authorizeSubscribe']> {
  const { limits, members, granted, tally } = parts

  function problemOf(known: Member | undefined, filter: string): string | undefined {
    if (!known) return 'connection is closed'
    const full = known.filters.size >= limits.filtersPerClient && !known.filters.has(filter)
    return full ? `more than ${limits.filtersPerClient} filters` : filterProblem(limits, filter)
  }
  return (client, subscription, done) => {
    const known = members.get(client.conn)
    const problem = problemOf(known, subscription.topic)
    if (!known || problem) {
      tally.count('refusedFilters', `${client.id}: ${problem}`)
      return done(null, null)
    }
    known.filters.add(subscription.topic)
    if (subscription.qos > 0) known.reliable = true
    granted.add(subscription)
    done(null, subscription)
  }
}

function forwarding({
  limits,
  members,
  tally,
}: Parts): NonNullable<AedesOptions['authorizeForward']> {
  return (client, packet) => {
    const known = members.get(client.conn)
    if (!known || packet.topic.startsWith('$')) return null
    if (!known.isNew(packet.brokerCounter)) return null
    const backlog = known.connection.backlog()
    if (backlog <= limits.dropPastBytes) return packet
    if (packet.qos === 0 || !known.reliable) {
      tally.count('droppedMessages', `${packet.topic} to ${client.id}`)
      return null
    }
    if (backlog <= limits.closePastBytes) return packet
    tally.count('disconnectedLaggards', `${client.id}, ${backlog} bytes behind`)
    known.connection.stream.destroy()
    return null
  }
}
