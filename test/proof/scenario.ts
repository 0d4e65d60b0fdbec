import { agentTopic } from '../../schemas/address.ts'
import type { ModelStatus, Outputs } from '../../schemas/state.ts'
import type { Static } from '../../schemas/typebox.ts'
import { type BadMessage, REPLY_PATH } from './bad-messages.ts'
import { COPY_TOPIC } from './judge-steps.ts'
import { pidOf, results, type Stage, send, status, step } from './stage.ts'

const everyInput = { 'a/clip': 10, 'a/pictures': 10, 'a/cam': 10, 'b/clip': 10 }

/** Plays everything that is done to a running agent, up to the death of its main process. */
export async function playUntilDeath(
  stage: Stage,
  otherModel: string,
  picturesUrl: string,
  bad: readonly BadMessage[],
): Promise<void> {
  await step(stage, 'start', () => results(stage, everyInput, 90_000))
  await step(stage, 'output', () => playOutput(stage))
  await step(stage, 'input', () => playInput(stage, picturesUrl))
  await step(stage, 'model', () => playModel(stage, otherModel))
  await playBlow(stage, 'segv', 'SIGSEGV')
  await playBlow(stage, 'stop-signal', 'SIGSTOP')
  await step(stage, 'bad', () => playBad(stage, bad))
  await step(stage, 'calm', () => results(stage, everyInput))
}

/** Kills main, starts it again, and waits for everybody's results. */
export function playDeath(stage: Stage): Promise<void> {
  return step(stage, 'kill', async () => {
    // The mark must have reached the recorder: its broker is about to die.
    await results(stage, { 'b/clip': 1 })
    await stage.restart()
    await stage.controller.connected(30_000)
    await results(stage, everyInput, 30_000)
  })
}

/** Ends the services: both are stopped, then B is removed. */
export async function playEnd(stage: Stage): Promise<void> {
  await step(stage, 'stop', async () => {
    for (const service of ['a', 'b']) send(stage, `${service}/compute`, { action: 'stop' })
    const quiet = ['a', 'b'].map((service) =>
      status(stage, `${service}/state`, (value) => stateOf(value) === 'idle'),
    )
    await Promise.all(quiet)
    await Promise.all(['a', 'b'].map((service) => status(stage, `${service}/stats`, noFrames)))
  })
  await step(stage, 'remove', async () => {
    send(stage, '$cmd/service/remove', { service: 'b' })
    await status(stage, 'b/state', (value) => value === undefined)
  })
}

async function playOutput(stage: Stage): Promise<void> {
  const present = (value: unknown) => (value as Static<typeof Outputs> | undefined)?.extra
  await results(stage, { 'a/clip': 3 })
  send(stage, 'a/output/set', { extra: { url: `mqtt:${COPY_TOPIC}`, inputs: ['clip'] } })
  await status(stage, 'a/output', (value) => present(value)?.state === 'open')
  await results(stage, { 'a/clip': 12, 'a/pictures': 6, 'a/cam': 6 })
  send(stage, 'a/output/set', { extra: null })
  await status(stage, 'a/output', (value) => value !== undefined && !present(value))
  await results(stage, { 'a/clip': 3, 'a/pictures': 3, 'a/cam': 3 })
}

async function playInput(stage: Stage, url: string): Promise<void> {
  await results(stage, { 'a/clip': 3, 'a/pictures': 1, 'a/cam': 3 })
  send(stage, 'a/input/set', { pictures: { url, fps: 4, loop: true } })
  await results(stage, { 'a/clip': 10, 'a/pictures': 12, 'a/cam': 10 })
}

async function playModel(stage: Stage, otherModel: string): Promise<void> {
  await results(stage, { 'a/clip': 2 })
  send(stage, 'a/model/set', { options: { minScore: 0.9 } })
  await results(stage, { 'a/clip': 5 })
  send(stage, 'a/model/set', otherModel)
  const loaded = (value: unknown) => {
    const model = value as ModelStatus | undefined
    return model?.id === otherModel && model.state === 'ready'
  }
  await status(stage, 'a/model', loaded, 30_000)
  await results(stage, { 'a/clip': 10, 'a/pictures': 10, 'a/cam': 10 })
}

async function playBlow(stage: Stage, name: string, signal: NodeJS.Signals): Promise<void> {
  // A service without a process of its own lives in the agent's.
  const pid = stage.agent().gone() ? undefined : await pidOf(stage, 'a')
  await step(stage, name, async () => {
    process.kill(pid ?? stage.agent().pid, signal)
    await results(stage, { 'a/clip': 10, 'a/pictures': 10, 'a/cam': 10 })
  })
}

async function playBad(stage: Stage, bad: readonly BadMessage[]): Promise<void> {
  for (const message of bad) {
    await stage.controller.mark({ step: 'bad', phase: 'begin', item: message.kind })
    await sendBad(stage, message)
    await stage.controller.mark({ step: 'bad', phase: 'end', item: message.kind })
  }
}

async function sendBad(stage: Stage, { path, payload, retain, answer }: BadMessage) {
  const { controller, workspace } = stage
  const { book } = workspace
  const place = answer === 'reply' ? `${book.root}/1/${REPLY_PATH}` : agentTopic(book, answer)
  const about = answer === 'reply' ? '"id":' : `"${agentTopic(book, path)}"`
  const answered = controller.seen(
    (topic, message) => topic === place && message.includes(about),
    5000,
  )
  controller.publish(agentTopic(book, path), payload, { retain: retain ?? false })
  if (!(await answered)) stage.say(`  no answer to a bad message on ${path}: going on`)
  await results(stage, { 'a/clip': 1, 'b/clip': 1 }, 5000)
}

const stateOf = (value: unknown): unknown => (value as { state?: unknown } | undefined)?.state

function noFrames(value: unknown): boolean {
  const inputs = (value as { inputs?: Record<string, { alive: number }> } | undefined)?.inputs
  return inputs !== undefined && Object.values(inputs).every(({ alive }) => alive === 0)
}
