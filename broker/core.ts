import type { Duplex } from 'node:stream'
import type { Aedes, AedesOptions, Client } from 'aedes'
import type { Bus } from '../agent/core/bus.ts'
import type { Log } from '../agent/core/log.ts'
import type { AddressBook } from '../schemas/address.ts'
import { admission, type Member, member } from './admission.ts'
import { createAedes, ignoreDeliveryOrder } from './aedes-mends.ts'
import { aedesPersistence } from './aedes-persistence.ts'
import { audience, type LocalBus, localBus } from './bus.ts'
import { connection } from './connection.ts'
import { handshakes } from './handshakes.ts'
import { type Interest, interest } from './interest.ts'
import type { Limits } from './limits.ts'
import type { Mishaps } from './mishaps.ts'
import { type RetainedMessages, retainedMessages } from './retained-messages.ts'
import { retainedReplay } from './retained-replay.ts'
import { type Sessions, sessions } from './sessions.ts'
import type { Transport } from './transport.ts'

/** What a core is made of. */
export interface CoreParts {
  readonly book: AddressBook
  readonly limits: Limits
  readonly log: Log
  readonly tally: Mishaps
}

/** The broker without its doors. */
export interface Core {
  readonly bus: Bus
  /** Clients connected now. */
  readonly clients: number
  accept(transport: Transport): void
  /** Sends what is on its way and disconnects everyone. */
  close(): Promise<void>
}

/** Connections that may wait for a polite answer beside those of all clients allowed. */
const spareConnections = 50
/** How long each step of closing waits for clients that do not cooperate, ms. */
const patienceMs = 150

/** What all parts of one core share. */
interface State {
  readonly members: Map<Duplex, Member>
  readonly present: Set<string>
  closing: boolean
}

/** Starts Aedes with the broker's rules and stores; nobody can reach it until `accept` is called. */
export async function startCore(parts: CoreParts): Promise<Core> {
  const state: State = { members: new Map(), present: new Set(), closing: false }
  const retained = retainedMessages(parts.limits)
  const ears = audience(parts.log)
  const kept = sessions(parts.limits, (clientId) => state.present.has(clientId))
  const aedes = await createAedes(parts.limits, handlers(parts, state, retained, kept, ears))
  const wishes = interest(() => filtersHeld(state, kept))
  const local = localBus(aedes, retained, ears, wishes)
  watch(aedes, parts, state, wishes)
  return {
    bus: local.bus,
    get clients() {
      return state.present.size
    },
    accept: (transport) => accept(transport, aedes, parts, state, retained),
    close: () => close(aedes, local, state),
  }
}

function handlers(
  { book, limits, tally }: CoreParts,
  state: State,
  retained: RetainedMessages,
  kept: Sessions,
  ears: ReturnType<typeof audience>,
): AedesOptions {
  const isPresent = (clientId: string) => state.present.has(clientId)
  const open = handshakes(limits, isPresent)
  const granted = new WeakSet<object>()
  const { members } = state
  const rules = admission({
    book,
    limits,
    members,
    granted,
    handshakes: open,
    audience: ears,
    tally,
  })
  return {
    ...rules,
    authorizePublish(client, packet, done) {
      // Wills of clients that the broker itself sends away say nothing about the clients.
      if (state.closing) done(new Error('the broker is closing'))
      else rules.authorizePublish(client, packet, done)
    },
    persistence: aedesPersistence({
      sessions: kept,
      retained,
      handshakes: open,
      tally,
      granted: (subscription) => granted.has(subscription),
    }),
  }
}

function accept(
  transport: Transport,
  aedes: Aedes,
  { limits, tally }: CoreParts,
  { members, closing }: State,
  retained: RetainedMessages,
): void {
  if (closing || members.size >= limits.clients + spareConnections) {
    tally.count('refusedConnections', `${transport.kind}: too many connections`)
    transport.destroy()
    return
  }
  const one = connection(transport, limits)
  const known = member(one)
  members.set(one.stream, known)
  one.stream.once('close', () => members.delete(one.stream))
  const client = aedes.handle(one.stream)
  ignoreDeliveryOrder(client, aedes.id)
  known.replay = retainedReplay(client, one, retained)
}

/** A session that came back holds filters that its connection never asked for. */
function filtersHeld({ members, present }: State, kept: Sessions): string[] {
  const asked = [...members.values()].flatMap(({ filters }) => [...filters])
  const resumed = [...present].flatMap((id) =>
    [...(kept.filters(id) ?? [])].map(([topic]) => topic),
  )
  return [...asked, ...resumed]
}

function watch(
  aedes: Aedes,
  { log, tally }: CoreParts,
  { members, present }: State,
  wishes: Interest,
): void {
  function broken(client: Client, error: Error): void {
    tally.count('brokenConnections', `${client.id ?? 'unknown client'}: ${error.message}`)
  }
  aedes.on('client', ({ id }) => {
    present.add(id)
    wishes.changed()
  })
  aedes.on('clientDisconnect', ({ id }) => {
    present.delete(id)
    wishes.changed()
  })
  aedes.on('clientError', broken)
  aedes.on('connectionError', broken)
  aedes.on('subscribe', (granted, { conn }) => {
    members.get(conn)?.replay(granted)
    wishes.changed()
  })
  aedes.on('unsubscribe', (filters, { conn }) => {
    for (const filter of filters) members.get(conn)?.filters.delete(filter)
    wishes.changed()
  })
  aedes.addListener('error', (error: Error) => log.error({ error }, 'the broker failed'))
}

async function close(aedes: Aedes, local: LocalBus, state: State): Promise<void> {
  await within(patienceMs, local.settled())
  state.closing = true
  const connections = [...state.members.values()].map(({ connection: one }) => one)
  const ended = connections.map(
    ({ stream }) => new Promise((resolve) => stream.once('close', resolve)),
  )
  for (const one of connections) one.end()
  await within(patienceMs, Promise.all(ended))
  for (const { stream } of connections) stream.destroy()
  await within(patienceMs, new Promise<void>((resolve) => aedes.close(resolve)))
}

/** Waits for `work`, but no longer than `ms`. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work, timeout])
  clearTimeout(timer)
}
