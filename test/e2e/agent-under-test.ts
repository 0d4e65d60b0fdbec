import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import mqtt, { type MqttClient } from 'mqtt'
import { loadConfig } from '../../agent/config.ts'
import { createLog } from '../../agent/log.ts'
import type { RunningAgent } from '../../agent/main.ts'
import { defaultModel, modelCacheFolder } from '../model-cache.ts'

/** Whatever JSON holds: the wire is what is tested. */
type Json = ReturnType<typeof JSON.parse>

/** A message as a client got it. */
export interface Heard {
  readonly topic: string
  readonly value: Json
  readonly retained: boolean
  readonly at: number
}

/** A real agent on free ports, its processes from `dist/`, and a real client of it. */
export interface AgentUnderTest {
  readonly running: RunningAgent
  readonly client: MqttClient
  readonly dataFolder: string
  /** Everything heard so far, in order. */
  readonly heard: readonly Heard[]
  /** `<root>/1/<agent>/<path>`; topics below `edge/`, `plant/` and `cam/` are whole already. */
  topic(path: string): string
  send(path: string, payload: unknown): void
  /** Sends an envelope and waits for the final reply. */
  ask(path: string, args: unknown, more?: object): Promise<Heard['value']>
  /** The first message on `path`, from now or from `since` on, that passes. */
  next(path: string, passes?: (value: Heard['value']) => boolean, since?: number): Promise<Heard>
  stop(): Promise<void>
}

/** The clip and pictures that come with the package. */
export const media = (name: string): string =>
  fileURLToPath(new URL(`../../examples/media/${name}`, import.meta.url))

/** Starts one. @param settings `section.key` → text, as with `--set` */
export async function startAgentUnderTest(
  settings: Readonly<Record<string, string>> = {},
  dataFolder = mkdtempSync(join(tmpdir(), 'heliograph-e2e-')),
): Promise<AgentUnderTest> {
  await defaultModel()
  const given = {
    'agent.id': 'lab',
    'data.folder': dataFolder,
    'broker.port': '0',
    'http.port': '0',
    'rtsp.port': '0',
    'log.level': 'silent',
    'models.cacheFolder': modelCacheFolder,
    ...settings,
  }
  const flags = Object.entries(given).map(([name, text]) => ({ name, text, flag: `--set ${name}` }))
  const config = await loadConfig({ flags, env: {}, cwd: dataFolder })
  const { startAgent }: typeof import('../../agent/main.ts') = await import(
    new URL('../../dist/agent/main.js', import.meta.url).href
  )
  const log = createLog({ level: config.log.level, human: false })
  const running = await startAgent({ config, log, env: process.env, faults: true })
  return connect(running, dataFolder)
}

async function connect(running: RunningAgent, dataFolder: string): Promise<AgentUnderTest> {
  const client = await mqtt.connectAsync(running.broker.addresses.mqtt, { reconnectPeriod: 0 })
  const heard: Heard[] = []
  const waiting = new Set<() => void>()
  client.on('message', (topic, payload, packet) => {
    heard.push({ topic, value: jsonOf(payload), retained: packet.retain, at: Date.now() })
    for (const look of waiting) look()
  })
  await client.subscribeAsync('#', { qos: 1 })
  const topic = (path: string): string =>
    /^(edge|plant|cam)\//.test(path) ? path : `edge/1/lab/${path}`
  const send = (path: string, payload: unknown): void => {
    const bytes = typeof payload === 'string' ? payload : JSON.stringify(payload)
    client.publish(topic(path), bytes, { qos: 1 })
  }
  const next: AgentUnderTest['next'] = (path, passes = () => true, since = heard.length) =>
    new Promise((resolve) => {
      let at = since
      const look = (): void => {
        for (; at < heard.length; at += 1) {
          const message = heard[at]
          if (message?.topic !== topic(path) || !passes(message.value)) continue
          waiting.delete(look)
          resolve(message)
          return
        }
      }
      waiting.add(look)
      look()
    })
  let asked = 0
  return {
    running,
    client,
    dataFolder,
    heard,
    topic,
    send,
    next,
    async ask(path, args, more = {}) {
      asked += 1
      const id = `ask-${asked}`
      const replyTo = `edge/1/$reply/test/${id}`
      const reply = next(replyTo, (value) => value?.status !== 'accepted')
      send(path, { v: 1, id, replyTo, args, ...more })
      return (await reply).value
    },
    async stop() {
      await client.endAsync()
      await running.stop()
    },
  }
}

/** Nothing for an empty payload, and for one that is no JSON (a picture, say). */
function jsonOf(payload: Buffer): Json {
  try {
    return JSON.parse(payload.toString())
  } catch {
    return undefined
  }
}
