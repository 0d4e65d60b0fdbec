import { randomBytes } from 'node:crypto'
import type { MqttClient } from 'mqtt'
import { AgentError } from '../core/errors.ts'
import { connect } from '../net/connect.ts'
import { connectionProblem, silence } from '../net/connection-problem.ts'
import { credentialsOf } from '../net/credentials.ts'
import { shownUrl } from '../net/shown-url.ts'
import { forOutputs } from '../net/side.ts'
import type { Destination } from './destination.ts'

/** A connection to another MQTT broker. */
export interface BrokerLink {
  /** Resolves when the broker has acknowledged it (QoS 1). @throws AgentError SINK_FAILED */
  publish(topic: string, payload: Buffer): Promise<void>
  close(): Promise<void>
}

/** What a link is made with. */
export interface LinkParts extends Destination {
  /** Of connecting, and of each acknowledgement. */
  readonly timeoutMs: number
  /** Breaks off what is under way. */
  readonly signal: AbortSignal
  /** The open link ended; called once, not after `close`. */
  lost(error: AgentError): void
}

const KEEPALIVE_S = 10

/**
 * Connects (MQTT 3.1.1, clean session; over TLS for `mqtts:`). It does not connect again by itself.
 * @throws AgentError SINK_FORBIDDEN, SINK_FAILED
 */
export async function brokerLink(parts: LinkParts): Promise<BrokerLink> {
  const { url, timeoutMs, signal, lost } = parts
  // Loading it takes 20 MB, which only services with such an output are to pay.
  const mqtt = await import('mqtt')
  const end = ending(url)
  signal.addEventListener('abort', () => end.because(signal.reason), { once: true })
  if (signal.aborted) end.because(signal.reason)
  const client = newClient(mqtt.MqttClient, parts, end)
  end.promise.catch(() => client.end(true))

  const silent = setTimeout(() => end.because(silence(url, timeoutMs, forOutputs)), timeoutMs)
  try {
    await Promise.race([new Promise((resolve) => client.once('connect', resolve)), end.promise])
  } finally {
    clearTimeout(silent)
  }
  end.promise.catch((error: AgentError) => signal.aborted || lost(error))
  return {
    publish: (topic, payload) => publish(client, { topic, payload, timeoutMs, url, end }),
    close: () => end.closed(client),
  }
}

function newClient(
  Client: typeof MqttClient,
  { url, policy, timeoutMs }: LinkParts,
  end: Ending,
): MqttClient {
  const stream = connect(url, policy)
  // The client swallows errors that it does not know, those of certificates for one.
  stream.on('error', end.because)
  const client = new Client(() => stream, {
    ...credentialsOf(url),
    clientId: `heliograph-${randomBytes(6).toString('hex')}`,
    protocolVersion: 4,
    clean: true,
    keepalive: KEEPALIVE_S,
    reschedulePings: false,
    reconnectPeriod: 0,
    // Ours comes first, and says more.
    connectTimeout: 2 * timeoutMs,
    resubscribe: false,
    timerVariant: 'native',
  })
  client.on('error', end.because)
  client.on('close', () => end.because(new Error('the broker closed the connection')))
  return client
}

interface Publication {
  readonly topic: string
  readonly payload: Buffer
  readonly timeoutMs: number
  readonly url: URL
  readonly end: Ending
}

async function publish(
  client: MqttClient,
  { topic, payload, timeoutMs, url, end }: Publication,
): Promise<void> {
  const late = setTimeout(() => end.because(silence(url, timeoutMs, forOutputs)), timeoutMs)
  try {
    await Promise.race([client.publishAsync(topic, payload, { qos: 1 }), end.promise])
  } catch (error) {
    // Whatever the client says when it is cut off, the reason is why that happened.
    throw end.because(error)
  } finally {
    clearTimeout(late)
  }
}

/** The first reason for which a link ended. */
interface Ending {
  /** Rejects with the reason, an `AgentError`. */
  readonly promise: Promise<never>
  /** Ends it, unless it is over already; gives the first reason. */
  because(reason: unknown): AgentError
  /** Ends the link in order. */
  closed(client: MqttClient): Promise<void>
}

function ending(url: URL): Ending {
  let reject: (reason: AgentError) => void = () => undefined
  let first: AgentError | undefined
  let isClosing = false
  const promise = new Promise<never>((_, fail) => {
    reject = fail
  })
  promise.catch(() => undefined)
  return {
    promise,
    because(reason) {
      first ??= problemOf(url, reason)
      if (!isClosing) reject(first)
      return first
    },
    async closed(client) {
      if (first) return
      isClosing = true
      await new Promise<void>((resolve) => {
        const stuck = setTimeout(() => client.end(true, () => resolve()), 500)
        client.end(false, () => {
          clearTimeout(stuck)
          resolve()
        })
      })
    },
  }
}

/** CONNACK's refusals (MQTT 3.1.1, 3.2.2.3) in words that say what to do. */
function problemOf(url: URL, reason: unknown): AgentError {
  const code = reason instanceof Error && 'code' in reason ? reason.code : undefined
  if (code !== 4 && code !== 5) return connectionProblem(url, reason, forOutputs)
  return new AgentError(
    'SINK_FAILED',
    `the broker refuses ${shownUrl(url)}: user name or password are missing or wrong, or may not connect`,
    { cause: reason, retryable: true },
  )
}
