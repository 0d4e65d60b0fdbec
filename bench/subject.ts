import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { stringify } from 'yaml'
import { type AddressBook, agentTopic } from '../schemas/address.ts'
import type { ServiceConfig } from '../schemas/config.ts'
import { type AgentProcess, heliograph, startAgentProcess } from '../test/proof/agent-process.ts'
import { type Controller, startController } from '../test/proof/controller.ts'
import { processesIn } from '../test/proof/processes.ts'
import { freePort } from '../test/proof/workspace.ts'

/** The agent that is measured: built, with a folder and ports of its own, started as by a user. */
export interface Subject {
  readonly folder: string
  readonly port: number
  /** `http://127.0.0.1:…` */
  readonly http: string
  readonly controller: Controller
  /** A topic of the agent. */
  topic(path: string): string
  /** `env` is added to its environment. */
  start(env?: NodeJS.ProcessEnv): AgentProcess
  /** Waits for the end of the agent that was killed, and starts another. */
  restart(): Promise<AgentProcess>
  main(): number
  /** The processes of its services. */
  servicePids(): Promise<number[]>
  command(path: string, value: unknown): void
  /** Waits for a message on a topic of the agent; fails after `withinMs`. */
  until(path: string, fits: (value: never) => boolean, withinMs?: number): Promise<void>
  /** The end of what the agent printed. */
  lastWords(): Promise<string>
  /** What is retained on a topic of the agent. */
  retained<T>(path: string): Promise<T>
  close(): Promise<void>
}

const book: AddressBook = { root: 'edge', agent: 'bench' }

/**
 * Prepares an agent with these services; it is not started yet. The controller takes only what
 * `filter` matches, so that watching does not weigh on what is measured.
 */
export async function prepareSubject(
  services: Readonly<Record<string, ServiceConfig>>,
  filter = 'edge/1/$reply/#',
  roots: readonly string[] = [],
): Promise<Subject> {
  const { folder, configFile, port, http } = await configured(services, roots)
  const controller = startController(port, 'bench', filter)
  let agent: AgentProcess | undefined
  const running = (): AgentProcess => {
    if (!agent || agent.gone()) throw new Error(`the agent is not running: see ${folder}/agent.log`)
    return agent
  }
  const topic = (path: string) => agentTopic(book, path)
  function start(env?: NodeJS.ProcessEnv): AgentProcess {
    agent = startAgentProcess({ folder, configFile }, heliograph, env)
    return agent
  }

  return {
    folder,
    port,
    http: `http://127.0.0.1:${http}`,
    controller,
    topic,
    start,
    async restart() {
      await agent?.end('SIGKILL')
      return start()
    },
    main: () => running().pid,
    servicePids: async () => {
      const main = running().pid
      return (await processesIn(folder)).map(({ pid }) => pid).filter((pid) => pid !== main)
    },
    command: (path, value) => controller.publish(topic(path), JSON.stringify(value)),
    async until(path, fits, withinMs = 60_000) {
      const wanted = topic(path)
      const enough = controller.also(wanted)
      const came = await controller.seen(
        (name, payload) => name === wanted && fits(JSON.parse(payload.toString()) as never),
        withinMs,
      )
      enough()
      if (!came)
        throw new Error(`${path} did not come within ${withinMs} ms: see ${folder}/agent.log`)
    },
    async lastWords() {
      const lines = (await readFile(join(folder, 'agent.log'), 'utf8')).trimEnd().split('\n')
      return lines.slice(-5).join('\n')
    },
    async retained(path) {
      const where = ['-h', '127.0.0.1', '-p', String(port), '-t', topic(path)]
      const args = [...where, '-C', '1', '-W', '5']
      const { stdout } = await promisify(execFile)('mosquitto_sub', args)
      return JSON.parse(stdout)
    },
    async close() {
      await agent?.end('SIGTERM')
      await controller.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function configured(
  services: Readonly<Record<string, ServiceConfig>>,
  roots: readonly string[],
) {
  const folder = await mkdtemp(join(tmpdir(), 'heliograph-bench-'))
  const [port, http] = [await freePort(), await freePort()]
  const configFile = join(folder, 'heliograph.yaml')
  const config = {
    agent: { id: book.agent },
    data: { folder: join(folder, 'data') },
    broker: { port },
    http: { port: http },
    rtsp: { port: 0 },
    ...(roots.length > 0 ? { sources: { roots } } : {}),
    services,
  }
  await writeFile(configFile, stringify(config))
  return { folder, configFile, port, http }
}
