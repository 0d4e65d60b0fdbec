import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../schemas/config.ts'
import { packageFolder } from '../config/folders.ts'
import { configuredStore } from '../configured-store.ts'
import { type RunningAgent, startAgent } from '../main.ts'
import { DEFAULT_MODEL } from '../store/catalog.ts'
import type { ConfigFlags } from './config-flags.ts'
import { startOnFreePorts } from './free-ports.ts'
import { introduction } from './introduction.ts'
import { demoConfig, logOf } from './load.ts'
import { pullModel } from './pull-model.ts'
import { watch } from './watch.ts'

/** The service of examples/demo.yaml. */
const SERVICE = 'demo'
const INPUT = 'clip'

/**
 * Starts the demo: fetches the model, takes free ports, prints how to go on from there and then, every
 * second, what is seen. Its state is its own and forgotten in the end, unless `--data` names a folder.
 * @returns how to stop it
 */
export async function startDemo(
  flags: ConfigFlags,
  version: string,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'heliograph-demo-'))
  const ends = [() => rm(folder, { recursive: true, force: true })]
  const stop = async () => {
    for (const end of ends.toReversed()) await end()
  }
  try {
    const agent = await startAgentOf(await demoConfig(flags, folder), flags, signal)
    ends.push(agent.stop)
    process.stdout.write(introductionOf(agent, version))
    ends.push(await watch(agent.broker.addresses.mqtt, agent.book))
    return stop
  } catch (error) {
    await stop()
    throw error
  }
}

async function startAgentOf(config: Config, flags: ConfigFlags, signal: AbortSignal) {
  const log = logOf(config.log.level)
  const store = configuredStore(config, log)
  await pullModel(store, DEFAULT_MODEL, signal)
  const chosen = {
    broker: flags.mqttPort !== undefined,
    http: flags.httpPort !== undefined,
    rtsp: flags.rtspPort !== undefined,
  }
  return startOnFreePorts(config, chosen, (free) =>
    startAgent({ config: free, log, env: process.env, store }),
  )
}

function introductionOf({ book, addresses }: RunningAgent, version: string): string {
  const picture = join(packageFolder(), 'examples', 'media', 'street.jpg')
  return introduction({ version, addresses, book, service: SERVICE, input: INPUT, picture })
}
