import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { onTestFinished } from 'vitest'
import type { Arrival } from '../../agent/core/bus.ts'
import type { Log } from '../../agent/core/log.ts'
import { openWebServer, type WebConfig } from '../../agent/net/web-server.ts'
import { defaultLimits, type Limits } from '../../broker/limits.ts'
import { type Broker, type BrokerConfig, startBroker } from '../../broker/server.ts'
import { anyWebPort } from '../web-config.ts'

export const book = { root: 'edge', agent: 'a1' }
export const controlTopic = 'edge/1/a1/cam/input/set'
export const ownTopic = 'edge/1/a1/cam/state'

export const anyPort: BrokerConfig = { host: '127.0.0.1', port: 0 }
/** A list that others may wait on. */
export interface Inbox<Item> {
  readonly items: Item[]
  add(item: Item): void
  /** Waits until `done` holds for the list. */
  until(done: (items: readonly Item[]) => boolean): Promise<readonly Item[]>
}

export function inbox<Item>(): Inbox<Item> {
  const items: Item[] = []
  const waiting = new Set<() => void>()
  return {
    items,
    add(item) {
      items.push(item)
      for (const check of waiting) check()
    },
    until: (done) =>
      new Promise((resolve) => {
        function check(): void {
          if (!done(items)) return
          waiting.delete(check)
          resolve(items)
        }
        waiting.add(check)
        check()
      }),
  }
}

export interface LogLine {
  readonly level: string
  readonly fields: object
  readonly message: string
}

export interface TestBroker extends Broker {
  readonly controls: Inbox<Arrival>
  readonly refusals: Inbox<{ readonly arrival: Arrival; readonly reason: string }>
  readonly lines: Inbox<LogLine>
  readonly ports: { readonly mqtt: number; readonly ws: number }
}

/** A broker on free ports, with a web server of its own, that ends with the test. */
export async function testBroker(
  config: Partial<BrokerConfig> & { readonly web?: Partial<WebConfig> } = {},
  limits: Partial<Limits> = {},
): Promise<TestBroker> {
  const lines = inbox<LogLine>()
  const web = await openWebServer({ ...anyWebPort, ...config.web }, recorder(lines))
  const broker = await startBroker({
    config: { ...anyPort, ...config },
    book,
    log: recorder(lines),
    web,
    limits: { ...defaultLimits, ...limits },
  })
  async function close(): Promise<void> {
    await broker.close()
    await web.close()
  }
  onTestFinished(close)
  const controls = inbox<Arrival>()
  const refusals = inbox<{ arrival: Arrival; reason: string }>()
  broker.bus.onControl(controls.add)
  broker.bus.onRefused((arrival, reason) => refusals.add({ arrival, reason }))
  const ports = { mqtt: broker.port, ws: web.port }
  return { ...broker, close, controls, refusals, lines, ports }
}

/** A log that keeps its lines. */
export function recorder(lines: Inbox<LogLine>): Log {
  const at = (level: string) => (fields: object, message: string) =>
    lines.add({ level, fields, message })
  return {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  }
}

export interface Message {
  readonly topic: string
  readonly text: string
  readonly retain: boolean
  readonly qos: number
}

export interface TestClient {
  readonly mqtt: MqttClient
  readonly inbox: Inbox<Message>
}

/** An mqtt.js client, connected, that ends with the test. */
export async function client(url: string, options: IClientOptions = {}): Promise<TestClient> {
  const received = inbox<Message>()
  const connected = await new Promise<MqttClient>((resolve, reject) => {
    const one = mqtt.connect(url, { reconnectPeriod: 0, connectTimeout: 5000, ...options })
    onTestFinished(() => void one.end(true))
    one.once('error', reject)
    one.once('close', () => reject(new Error(`${url} closed the connection`)))
    // Before the connection is open: a session's queue follows the CONNACK at once.
    one.on('message', (topic, payload, { retain, qos }) =>
      received.add({ topic, text: payload.toString(), retain, qos }),
    )
    one.once('connect', () => resolve(one))
  })
  connected.on('error', () => undefined)
  return { mqtt: connected, inbox: received }
}

/** A client that is subscribed to `filter`. */
export async function subscriber(
  url: string,
  filter: string,
  qos: 0 | 1 | 2 = 0,
): Promise<TestClient> {
  const one = await client(url)
  await one.mqtt.subscribeAsync(filter, { qos })
  return one
}

/** Settles when the client's connection is closed. */
export function disconnected({ mqtt: one }: TestClient): Promise<void> {
  return new Promise((resolve) => one.once('close', () => resolve()))
}

export function texts(messages: readonly Message[]): string[] {
  return messages.map(({ text }) => text)
}
