import { EventEmitter } from 'node:events'
import { connect, type IClientPublishOptions, type MqttClient } from 'mqtt'
import { MARK_TOPIC, type Mark } from './recording.ts'

/** Whether a message is the one that is waited for. */
export type Awaited = (topic: string, payload: Buffer) => boolean

/** The hand that drives the agent. What it sees only sets its pace; nothing is judged by it. */
export interface Controller {
  connected(withinMs: number): Promise<boolean>
  publish(topic: string, payload: string | Uint8Array, options?: IClientPublishOptions): void
  /**
   * Notes something, and waits until the note has gone round: the agent may answer what is sent next
   * before the broker has forwarded what was sent last.
   */
  mark(mark: Mark): Promise<void>
  /** Waits for a message that has yet to come; false when the time is over. */
  seen(awaited: Awaited, withinMs: number): Promise<boolean>
  /** Shows every message from now on, until the returned function is called. */
  watch(take: (topic: string, payload: Buffer) => void): () => void
  /** Takes another filter's messages too, until the returned function is called. */
  also(filter: string): () => void
  close(): Promise<void>
}

/**
 * Connects to the broker on `port`, now or when it comes up, and again whenever it comes back. Takes
 * what `filter` matches; a listener of less makes the broker do less.
 */
export function startController(port: number, clientId: string, filter = '#'): Controller {
  const client = connect(`mqtt://127.0.0.1:${port}`, {
    clientId,
    reconnectPeriod: 100,
    queueQoSZero: false,
  })
  client.on('connect', () => withoutDelay(client))
  // A broker that is not there (yet) is what the scenario expects.
  client.on('error', () => undefined)
  client.subscribe(filter)
  const messages = new EventEmitter().setMaxListeners(0)
  client.on('message', (topic, payload) => messages.emit('message', topic, payload))

  return {
    connected: (withinMs) =>
      client.connected ? Promise.resolve(true) : happens(client, 'connect', () => true, withinMs),
    publish: (topic, payload, options) =>
      client.publish(topic, payload as Buffer, { qos: 1, ...options }),
    async mark(mark) {
      const text = JSON.stringify(mark)
      const noted = happens(
        messages,
        'message',
        (topic, payload) => topic === MARK_TOPIC && payload.toString() === text,
        5000,
      )
      client.publish(MARK_TOPIC, text, { qos: 1 })
      await noted
    },
    seen: (awaited, withinMs) => happens(messages, 'message', awaited, withinMs),
    watch(take) {
      messages.on('message', take)
      return () => messages.off('message', take)
    },
    also(more) {
      client.subscribe(more)
      return () => client.unsubscribe(more)
    },
    close: () => client.endAsync(true),
  }
}

/** Without it, Nagle's algorithm holds a small packet back until the last one was acknowledged. */
function withoutDelay(client: MqttClient): void {
  const { stream } = client
  if ('setNoDelay' in stream && typeof stream.setNoDelay === 'function') stream.setNoDelay(true)
}

/** Listens from now on, so that neighbours in one packet are not missed between two waits. */
function happens(
  emitter: EventEmitter | MqttClient,
  event: string,
  awaited: Awaited,
  withinMs: number,
): Promise<boolean> {
  const source = emitter as EventEmitter
  return new Promise((resolve) => {
    const finish = (came: boolean) => {
      clearTimeout(timer)
      source.off(event, take)
      resolve(came)
    }
    const take = (topic: string, payload: Buffer) => {
      if (awaited(topic, payload)) finish(true)
    }
    const timer = setTimeout(() => finish(false), withinMs)
    source.on(event, take)
  })
}
