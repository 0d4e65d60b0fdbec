import { randomBytes } from 'node:crypto'
import type { IClientOptions, MqttClient } from 'mqtt'
import { AgentError } from '../core/errors.ts'
import { credentialsOf } from '../net/credentials.ts'
import { type ClientParts, patience } from './agent-client.ts'
import { shownAddress, tooLate, unreachable } from './unreachable.ts'

/** A message as it came. */
export interface Message {
  readonly topic: string
  readonly payload: Uint8Array
  /** It was kept by the broker from before. */
  readonly retained: boolean
}

/** A connection to a broker. */
export interface MqttLink {
  /** Resolves when the broker has granted the filters. @throws AgentError NOT_AUTHORIZED, AGENT_UNREACHABLE */
  subscribe(filters: readonly string[]): Promise<void>
  /** At QoS 1. @throws AgentError AGENT_UNREACHABLE */
  publish(topic: string, payload: string): Promise<void>
  /** Hands over what comes from now on, one message after another. @returns how to stop */
  onMessage(take: (message: Message) => unknown): () => void
  /** Rejects when the connection ends, or never. */
  readonly lost: Promise<never>
  close(): Promise<void>
}

/** How a connection behaves. */
export interface LinkManners {
  /** Connects again after it was lost, and subscribes to the same. */
  readonly reconnect?: { lost(): void; back(): void }
}

const RECONNECT_MS = 1000
const KEEPALIVE_S = 15
const WEB_SOCKET_PATH = '/mqtt'

/** Connects (MQTT 3.1.1, clean session). @throws AgentError AGENT_UNREACHABLE, NOT_AUTHORIZED, TIMEOUT */
export async function mqttLink(parts: ClientParts, manners: LinkManners = {}): Promise<MqttLink> {
  const { connectAsync } = await import('mqtt')
  const { signal, url } = parts
  const client = await connectAsync(brokerUrl(url), options(parts, manners), false).catch(
    (cause: unknown) => {
      throw connectFailure(parts, cause)
    },
  )
  const takers = new Set<(message: Message) => unknown>()
  // The next message is read when this one was taken: a slow reader slows the connection, it does not fill memory.
  client.handleMessage = ({ topic, payload, retain }, done) => {
    const message = { topic, payload: Buffer.from(payload), retained: retain }
    const all = [...takers].map(async (take) => take(message))
    Promise.all(all).then(() => done(), done)
  }
  const lost = loss(client, parts, manners)
  signal?.addEventListener('abort', () => client.end(true), { once: true })
  return {
    async subscribe(filters) {
      try {
        await Promise.race([client.subscribeAsync([...filters], { qos: 1 }), lost])
      } catch (cause) {
        throw subscribeFailure(url, cause)
      }
    },
    async publish(topic, payload) {
      try {
        await Promise.race([client.publishAsync(topic, payload, { qos: 1 }), lost])
      } catch (cause) {
        throw unreachable(url, cause)
      }
    },
    onMessage(take) {
      takers.add(take)
      return () => void takers.delete(take)
    },
    lost,
    close: () => client.endAsync(true),
  }
}

/** The client takes credentials apart from the URL. */
function brokerUrl(url: URL): string {
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  if (/^wss?:$/.test(url.protocol) && url.pathname === '/') bare.pathname = WEB_SOCKET_PATH
  return bare.href
}

function options(parts: ClientParts, { reconnect }: LinkManners): IClientOptions {
  const { url, token } = parts
  const given = credentialsOf(url)
  const bearer =
    token === undefined ? {} : { username: given?.username || 'token', password: token }
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return {
    ...given,
    ...bearer,
    wsOptions: { headers },
    clientId: `heliograph-ctl-${randomBytes(6).toString('hex')}`,
    protocolVersion: 4,
    clean: true,
    keepalive: KEEPALIVE_S,
    connectTimeout: patience(parts, 'quick'),
    reconnectPeriod: reconnect ? RECONNECT_MS : 0,
    timerVariant: 'native',
  }
}

function loss(
  client: MqttClient,
  { url, signal }: ClientParts,
  { reconnect }: LinkManners,
): Promise<never> {
  const lost = new Promise<never>((_, reject) => {
    let cause: Error = new Error('the connection was lost')
    client.on('error', (error) => {
      cause = error
    })
    client.on('close', () => {
      if (signal?.aborted) reject(signal.reason)
      else if (reconnect && !client.disconnecting) reconnect.lost()
      else reject(unreachable(url, cause))
    })
    if (reconnect) client.on('connect', () => reconnect.back())
  })
  // Whoever waits for something meanwhile is told; nobody else needs to be.
  lost.catch(() => undefined)
  return lost
}

/** CONNACK return codes 4 and 5 (MQTT 3.1.1, 3.2.2.3). */
const refused: readonly unknown[] = [4, 5]

function connectFailure(parts: ClientParts, cause: unknown): unknown {
  const { url, signal } = parts
  if (signal?.aborted) return signal.reason
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (refused.includes(code)) {
    const message = `the broker at ${shownAddress(url)} refuses this user or token`
    return new AgentError('NOT_AUTHORIZED', message, { cause })
  }
  const isTimeout = cause instanceof Error && /connack timeout/i.test(cause.message)
  return isTimeout ? tooLate(url, patience(parts, 'quick'), 'connecting') : unreachable(url, cause)
}

function subscribeFailure(url: URL, cause: unknown): AgentError {
  if (cause instanceof AgentError) return cause
  const isRefused =
    cause instanceof Error && /Unspecified error|Not authorized/i.test(cause.message)
  if (!isRefused) return unreachable(url, cause)
  const message = `the broker at ${shownAddress(url)} refuses the subscription`
  return new AgentError('NOT_AUTHORIZED', message, { cause })
}
