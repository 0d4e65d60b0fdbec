import { randomUUID } from 'node:crypto'
import { type Broker, startBroker } from '../broker/server.ts'
import type { AddressBook } from '../schemas/address.ts'
import type { Config } from '../schemas/config.ts'
import { infoOf } from './agent-info.ts'
import { AgentControl } from './control/agent-control.ts'
import { desiredStore } from './control/desired-store.ts'
import { presence } from './control/presence.ts'
import { defaultAgentId, takeDataFolder } from './data-folder.ts'
import type { AgentLog } from './log.ts'
import { type Launch, processLauncher } from './service/launch.ts'
import type { ServiceLimits } from './service/messages.ts'
import { DEFAULT_MODEL } from './store/catalog.ts'
import { type ModelStore, modelStore } from './store/store.ts'

/** A running agent. */
export interface RunningAgent {
  readonly book: AddressBook
  readonly broker: Broker
  /** Ends services, broker and all processes, in this order. */
  stop(): Promise<void>
}

/** What an agent is made of; the parts with defaults are there for tests. */
export interface AgentParts {
  readonly config: Config
  readonly log: AgentLog
  readonly env: NodeJS.ProcessEnv
  readonly store?: ModelStore
  readonly launch?: Launch
}

/**
 * Composition root: data folder → broker → control → services. Resolves when `$state` says `ready`.
 * @throws AgentError CONFIG_INVALID: a port or the data folder is taken, the stored state is damaged
 */
export async function startAgent(parts: AgentParts): Promise<RunningAgent> {
  const { config, log, env } = parts
  const boot = randomUUID()
  const data = await takeDataFolder(config.data.folder, config.outputs.mediaFolder)
  try {
    const desired = desiredStore(data.stateFile)
    const stored = await desired.read()
    const agent = config.agent.id ?? stored?.agent ?? defaultAgentId()
    const book = { root: config.agent.root, agent }
    const broker = await startBroker({ config: brokerConfig(config), book, log })
    const store = parts.store ?? modelStore({ ...config.models, log })
    const entry = new URL('./service/worker.js', import.meta.url)
    const present = presence(broker.bus, book, boot)
    present.state('init')
    const stopLog = log.onLine(config.log.mqttLevel, (line) => present.log(line))

    const control = new AgentControl({
      book,
      boot,
      bus: broker.bus,
      log,
      store,
      desired,
      stored,
      sections: config.services,
      defaultModel: { id: DEFAULT_MODEL, device: 'auto', options: {} },
      launch: parts.launch ?? processLauncher(entry, env),
      serviceLimits: serviceLimits(config, broker, env),
      limits: { ...config.limits, outputsPerService: 32 },
      runFolder: data.runFolder,
      presence: present,
      servicesChanged: (services) => present.info(infoOf({ agent, services, broker })),
    })
    present.info(infoOf({ agent, services: [], broker }))
    control.begin()
    present.state('ready')
    log.info({ agent, ...broker.addresses }, 'agent ready')

    return {
      book,
      broker,
      async stop() {
        await control.stop()
        present.state('disconnected')
        stopLog()
        await broker.close()
        await data.release()
        log.info({ agent }, 'agent stopped')
      },
    }
  } catch (error) {
    await data.release()
    throw error
  }
}

function brokerConfig({ broker, http }: Config) {
  const { host, port, allowedOrigins, allowedHosts } = broker
  return { host, port, ws: http, allowedOrigins, allowedHosts }
}

function serviceLimits(config: Config, { ports }: Broker, env: NodeJS.ProcessEnv): ServiceLimits {
  const { sources, outputs, limits } = config
  return {
    roots: sources.roots,
    mediaFolder: outputs.mediaFolder,
    addresses: { ...sources.addresses, ownPorts: [ports.mqtt, ports.ws] },
    topicPrefixes: outputs.topicPrefixes,
    samplesPerInput: limits.samplesPerInput,
    inferenceThreads: limits.inferenceThreads,
    threadsPerInference: limits.threadsPerInference,
    maxPixels: sources.maxPixels,
    maxDownloadBytes: sources.maxDownloadBytes,
    faults: env.HELIOGRAPH_FAULTS === '1',
  }
}
