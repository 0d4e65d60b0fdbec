import { randomUUID } from 'node:crypto'
import { type Broker, startBroker, webSocketPath } from '../broker/server.ts'
import type { AddressBook } from '../schemas/address.ts'
import type { Config } from '../schemas/config.ts'
import { type Access, accessOf, openAccess } from './access/access.ts'
import { advertised } from './advertise.ts'
import { introduce } from './agent-info.ts'
import { configuredStore } from './configured-store.ts'
import { AgentControl } from './control/agent-control.ts'
import { desiredStore } from './control/desired-store.ts'
import { type Presence, presence } from './control/presence.ts'
import type { Log } from './core/log.ts'
import { type DataFolder, defaultAgentId, takeDataFolder } from './data-folder.ts'
import { EventLog } from './events/event-log.ts'
import { warnOfExposure } from './exposure.ts'
import { serveHttp } from './http/serve.ts'
import { attachLive } from './live/attach-live.ts'
import type { AgentLog } from './log.ts'
import { memoryMeter, processMeter } from './metrics/process-usage.ts'
import { reportMetrics } from './metrics/report.ts'
import { resourceReader } from './metrics/resources.ts'
import { openWebServer, type WebServer } from './net/web-server.ts'
import { probeSoon } from './probes.ts'
import { type RtspServer, startRtspServer } from './rtsp/server.ts'
import { compileSoon } from './service/compile-soon.ts'
import { type Launch, processLauncher } from './service/launch.ts'
import { serviceLimits } from './service-limits.ts'
import { DEFAULT_MODEL } from './store/catalog.ts'
import type { ModelStore } from './store/store.ts'

/** A running agent. */
export interface RunningAgent {
  readonly book: AddressBook
  readonly broker: Broker
  /** Where others reach it. */
  readonly addresses: Addresses
  /** Ends services and their processes, then the broker. */
  stop(): Promise<void>
}

/** URLs without a path. */
export interface Addresses {
  readonly mqtt: string
  readonly ws: string
  readonly http: string
  readonly rtsp: string
}

/** What an agent is made of; the parts with defaults are there for tests. */
export interface AgentParts {
  readonly config: Config
  readonly log: AgentLog
  readonly env: NodeJS.ProcessEnv
  readonly store?: ModelStore
  readonly launch?: Launch
  /** Lets `synthetic:` sources crash and hang their process on demand. */
  readonly faults?: boolean
}

/**
 * Composition root: data folder → broker → services. Resolves when `$state` says `ready`.
 * @throws AgentError CONFIG_INVALID: a port or the data folder is taken, the stored state is damaged
 */
export async function startAgent(parts: AgentParts): Promise<RunningAgent> {
  const ends: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).toReversed()) await end()
  }
  try {
    return { ...(await startParts(parts, ends)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** @param ends takes how to end each part, in the order in which they started */
async function startParts(
  parts: AgentParts,
  ends: (() => Promise<void>)[],
): Promise<Omit<RunningAgent, 'stop'>> {
  const { config, log } = parts
  const data = await takeDataFolder(config.data.folder, config.outputs.mediaFolder)
  ends.push(() => data.release())
  const desired = desiredStore(data.stateFile)
  const stored = await desired.read()
  const agent = config.agent.id ?? stored?.agent ?? defaultAgentId()
  const book = { root: config.agent.root, agent }
  const { web, broker, rtsp, addresses } = await openServers(parts, book, ends)
  const store = parts.store ?? configuredStore(config, log)
  const { boot, events, bus } = notedBus(config, book, broker)
  const present = presence(bus, book, boot)
  present.state('init')
  const stopLog = log.onLine(config.log.mqttLevel, (line) => present.log(line))
  const introduction = introduce(agent, { ...addresses }, (info) => present.info(info))
  const control = new AgentControl({
    ...controlSettings(parts, data, [broker.port, web.port, rtsp.port]),
    store,
    book,
    boot,
    bus,
    streams: { offer: rtsp.offer, url: (path) => `${addresses.rtsp}${path}` },
    desired,
    stored,
    presence: present,
    servicesChanged: (services) => introduction.change({ services: [...services] }),
  })
  rtsp.expect((path) => control.promises(path))
  const access = await openDoors(config, log, present)
  ends.push(async () => access.close())
  const live = serveLive(config, { web, access }, control, log)
  ends.push(async () => live.close())
  const http = await serveHttp(web, {
    ...{ config: config.http, book, log, trust: web.trust, access, control, events, broker },
    ...{ uploadFolder: data.uploadFolder, presence: present, info: () => introduction.now },
  })
  control.begin()
  compileSoon()
  present.state('ready')
  log.info({ agent, ...addresses }, 'agent ready')
  const stopMetrics = startMetrics(config, control, present)
  const stopProbe = probeSoon(config.media, { introduction, presence: present })
  ends.push(async () => {
    await http.drain()
    stopProbe()
    stopMetrics()
    await control.stop()
    present.state('disconnected')
    events.close()
    await http.close()
    stopLog()
    log.info({ agent }, 'agent stopped')
  })
  return { book, broker, addresses }
}

/** The broker's bus, such that clients of event streams hear what is published on it. */
function notedBus({ http }: Config, book: AddressBook, broker: Broker) {
  const boot = randomUUID()
  const events = new EventLog({ book, boot, limits: http.events })
  return { boot, events, bus: events.tap(broker.bus) }
}

/** The servers, and the addresses that tell others where they are. */
async function openServers(
  { config, log }: AgentParts,
  book: AddressBook,
  ends: (() => Promise<void>)[],
) {
  const web = await openWebServer(config.http, log)
  ends.push(() => web.close())
  const broker = await startBroker({ config: config.broker, book, log, web })
  ends.push(() => broker.close())
  const rtsp = await startRtspServer({ config: config.rtsp, log })
  ends.push(() => rtsp.close())
  return { web, broker, rtsp, addresses: addressesOf(config, broker, web, rtsp) }
}

function controlSettings(parts: AgentParts, data: DataFolder, ownPorts: readonly number[]) {
  const { config, log, env } = parts
  return {
    log,
    sections: config.services,
    defaultModel: { id: DEFAULT_MODEL, device: 'auto', options: {} } as const,
    launch: parts.launch ?? processLauncher(new URL('./service/worker.js', import.meta.url), env),
    serviceLimits: serviceLimits(config, { ownPorts, faults: parts.faults ?? false }),
    limits: { ...config.limits, outputsPerService: config.limits.inputsPerService },
    crashFolder: data.crashFolder,
  }
}

function addressesOf(
  { rtsp, advertise }: Config,
  broker: Broker,
  web: WebServer,
  { port }: RtspServer,
): Addresses {
  const host = rtsp.host.includes(':') ? `[${rtsp.host}]` : rtsp.host
  const own = { ...broker.addresses, rtsp: `rtsp://${host}:${port}` }
  return {
    mqtt: advertised(own.mqtt, advertise.host),
    ws: advertised(own.ws, advertise.host),
    http: advertised(web.origin, advertise.host),
    rtsp: advertised(own.rtsp, advertise.host),
  }
}

/** Who may do what over HTTP. */
async function openDoors(config: Config, log: Log, presence: Presence): Promise<Access> {
  warnOfExposure(config, log, presence)
  const { file } = config.users
  if (file === '') return openAccess
  return accessOf(file, log, (problem) => presence.alert('users', problem))
}

/** Live video for browsers, beside MQTT over WebSocket and under the same rules. */
function serveLive(
  { live }: Config,
  { web: { server, trust }, access }: { readonly web: WebServer; readonly access: Access },
  control: AgentControl,
  log: Log,
) {
  return attachLive(server, {
    trust,
    access,
    limits: live,
    find: (service, input) => control.services.get(service)?.live(input),
    elsewhere: (path) => path === webSocketPath,
    refused: (reason) => log.warn({ reason }, 'a viewer was turned away'),
  })
}

function startMetrics({ data, metrics }: Config, control: AgentControl, present: Presence) {
  const memoryOf = memoryMeter()
  return reportMetrics({
    intervalMs: metrics.intervalMs,
    resources: resourceReader({ folder: data.folder, pids: () => pidsOf(control), memoryOf }),
    processUsage: processMeter(memoryOf),
    services: () => control.services,
    publish: (values) => present.metrics(values),
  })
}

function pidsOf(control: AgentControl): number[] {
  const pids = [...control.services.values()].map(({ usage }) => usage.pid)
  return [process.pid, ...pids.filter((pid) => pid !== undefined)]
}
