import { agentTopic, serviceTopic } from '../../schemas/address.ts'
import type { Metrics } from '../../schemas/state.ts'
import type { AgentProcess } from './agent-process.ts'
import type { Controller } from './controller.ts'
import type { Workspace } from './workspace.ts'

/** What the scenario plays on. */
export interface Stage {
  readonly workspace: Workspace
  readonly controller: Controller
  /** The agent of now; another after its restart. */
  readonly agent: () => AgentProcess
  /** Kills main and, without a pause, starts it again. */
  readonly restart: () => Promise<void>
  /** Says what happens, to whoever watches. */
  readonly say: (text: string) => void
}

/** `<service>/<input>` → how many results are awaited. */
export type Results = Readonly<Record<string, number>>

/** How long the scenario waits for anything before it goes on; the verdicts then say what lacks. */
const PATIENCE_MS = 15_000

/** Waits until each input has given so many more results. */
export async function results(
  { workspace, controller, say }: Stage,
  wanted: Results,
  withinMs = PATIENCE_MS,
): Promise<void> {
  const left = new Map(
    Object.entries(wanted).map(([path, count]) => {
      const [service = '', input = ''] = path.split('/')
      return [serviceTopic(workspace.book, service, `detections/${input}`), count]
    }),
  )
  const came = await controller.seen((topic) => {
    const count = left.get(topic)
    if (count === undefined) return false
    if (count > 1) left.set(topic, count - 1)
    else left.delete(topic)
    return left.size === 0
  }, withinMs)
  if (!came) say(`  still waiting for ${[...left.keys()].join(', ')}: going on`)
}

/** Waits for a message on an agent or service topic that `fits`. */
export async function status(
  { workspace, controller, say }: Stage,
  path: string,
  fits: (value: unknown) => boolean,
  withinMs = PATIENCE_MS,
): Promise<void> {
  const wanted = agentTopic(workspace.book, path)
  const came = await controller.seen(
    (topic, payload) => topic === wanted && fits(parsed(payload)),
    withinMs,
  )
  if (!came) say(`  ${path} did not become what was asked for: going on`)
}

/** The process of a service, as the agent itself says in `$metrics`. */
export async function pidOf(stage: Stage, service: string): Promise<number | undefined> {
  let pid: number | undefined
  await status(stage, '$metrics', (value) => {
    pid = (value as Metrics | undefined)?.services[service]?.pid
    return pid !== undefined
  })
  return pid
}

/** Sends a control message. */
export function send({ workspace, controller }: Stage, path: string, value: unknown): void {
  controller.publish(agentTopic(workspace.book, path), JSON.stringify(value))
}

/** Plays one step between its marks; without an agent there is nothing to play with. */
export async function step(stage: Stage, name: string, play: () => Promise<void>): Promise<void> {
  if (stage.agent().gone()) return stage.say(`${name}: left out, the agent is gone`)
  stage.say(name)
  await stage.controller.mark({ step: name, phase: 'begin' })
  await play()
  await stage.controller.mark({ step: name, phase: 'end' })
}

function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'))
  } catch {
    return undefined
  }
}
