import type { Config } from '../../schemas/config.ts'
import { AgentError } from '../core/errors.ts'
import { portTaken } from '../net/listen.ts'

const ATTEMPTS = 50

/** The sections of the configuration with a port each. */
const sections = ['broker', 'http', 'rtsp'] as const

/** Which ports somebody chose: these are not moved. */
export type ChosenPorts = Readonly<Record<(typeof sections)[number], boolean>>

/**
 * Starts something with the next port where another program has one that nobody chose; says so.
 * @throws AgentError what `start` throws; for a port that was chosen, that it is taken
 */
export async function startOnFreePorts<T>(
  config: Config,
  chosen: ChosenPorts,
  start: (config: Config) => Promise<T>,
  say: (line: string) => void = (line) => void process.stderr.write(`${line}\n`),
): Promise<T> {
  let current = config
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(current)
    } catch (error) {
      const next = withNextPort(current, chosen, portTaken(error))
      if (!next || attempt === ATTEMPTS) throw error
      const [taken = ''] = AgentError.from(error).message.split(';')
      say(`${taken}; using ${next.port}`)
      current = next.config
    }
  }
}

function withNextPort(
  config: Config,
  chosen: ChosenPorts,
  taken: number | undefined,
): { config: Config; port: number } | undefined {
  const section = sections.find((name) => config[name].port === taken)
  if (taken === undefined || !section || chosen[section]) return undefined
  const used = sections.map((name) => config[name].port)
  let port = taken + 1
  while (used.includes(port)) port += 1
  return { config: { ...config, [section]: { ...config[section], port } }, port }
}
