import { portTaken } from '../../broker/listen.ts'
import type { Config } from '../../schemas/config.ts'
import { AgentError } from '../core/errors.ts'

const ATTEMPTS = 50

/**
 * Starts something with the next port where another program has one that nobody chose; says so.
 * @throws AgentError what `start` throws; for a port that was chosen, that it is taken
 */
export async function startOnFreePorts<T>(
  config: Config,
  chosen: { readonly mqtt: boolean; readonly http: boolean },
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
  chosen: { readonly mqtt: boolean; readonly http: boolean },
  taken: number | undefined,
): { config: Config; port: number } | undefined {
  const { broker, http } = config
  if (taken === broker.port && !chosen.mqtt) {
    const port = after(taken, http.port)
    return { config: { ...config, broker: { ...broker, port } }, port }
  }
  if (taken === http.port && !chosen.http) {
    const port = after(taken, broker.port)
    return { config: { ...config, http: { ...http, port } }, port }
  }
  return undefined
}

const after = (port: number, other: number): number => (port + 1 === other ? port + 2 : port + 1)
