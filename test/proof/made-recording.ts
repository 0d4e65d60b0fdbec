import { agentTopic, serviceTopic } from '../../schemas/address.ts'
import { type BadMessage, badMessages, REPLY_PATH } from './bad-messages.ts'
import { type Feed, madeTape, type Tape } from './made-tape.ts'
import type { Recording } from './recording.ts'

const book = { root: 'edge', agent: 'proof' }

/** The bad messages that the made recording answers. */
export const sentBad: readonly BadMessage[] = badMessages('edge', 'file:///dog.mp4')

/**
 * The recording, made by hand and without any agent, of a scenario in which everything went well.
 * Tests damage it to see that each verdict can fail.
 */
export function madeRecording(): Recording {
  const tape = madeTape()
  tape.own('$state', { state: 'ready', boot: 'one', at: tape.now() })
  tape.step('start', () => tape.pass(9000))
  changes(tape)
  for (const name of ['segv', 'stop-signal']) blow(tape, name)
  refusals(tape)
  statuses(tape)
  tape.pass(1000)
  tape.step('kill', () => {
    tape.pass(200)
    tape.anew(() => true)
    tape.pass(3000)
  })
  const from = tape.messages.length
  tape.own('$state', { state: 'ready', boot: 'two', at: tape.now() })
  statuses(tape)
  const retained = tape.messages.slice(from).map((message) => ({ ...message, retained: true }))
  tape.step('stop', () => {
    for (const service of ['a', 'b']) tape.stats(service, 0)
  })
  return {
    book,
    messages: tape.messages,
    retainedAfterRestart: retained,
    retainedAtEnd: retained.filter(({ topic }) => !topic.startsWith(serviceTopic(book, 'b', ''))),
    nativeInMain: [],
    orphans: [],
    processesAtEnd: [],
  }
}

/** An output comes and goes, an input is changed, the model is replaced. */
function changes(tape: Tape): void {
  const clip = tape.feeds[0] as Feed
  tape.step('output', () => {
    clip.copied = true
    tape.own('a/output', { extra: output('open') })
    tape.pass(6000)
    clip.copied = false
    tape.own('a/output', {})
  })
  tape.step('input', () => {
    tape.pass(2000)
    tape.anew(({ input }) => input === 'pictures')
    tape.pass(6000)
  })
  tape.step('model', () => {
    tape.own('a/model', model('one', 0.9))
    tape.pass(3000)
    for (const one of tape.feeds) if (one.service === 'a') one.model = 'two'
    tape.own('a/model', model('two', 0.9))
    tape.pass(3000)
  })
}

function blow(tape: Tape, name: string): void {
  tape.step(name, () => {
    tape.pass(1000, 'a')
    tape.anew(({ service }) => service === 'a')
    tape.pass(3000)
  })
}

function refusals(tape: Tape): void {
  tape.step('bad', () => {
    for (const bad of sentBad) {
      tape.mark({ step: 'bad', phase: 'begin', item: bad.kind })
      answer(tape, bad)
      tape.pass(400)
      tape.mark({ step: 'bad', phase: 'end', item: bad.kind })
    }
  })
}

function answer(tape: Tape, { answer: place, code, path }: BadMessage): void {
  const refusal = { v: 1, code, message: 'no' }
  if (place === 'reply') {
    tape.publish(`edge/1/${REPLY_PATH}`, { ...refusal, agent: 'proof', status: 'error' })
  } else {
    tape.own(place, { ...refusal, topic: agentTopic(book, path), at: tape.now() })
  }
}

function statuses(tape: Tape): void {
  const since = tape.now()
  for (const service of ['a', 'b']) {
    tape.own(`${service}/input`, { clip: { url: 'file:///dog.mp4', state: 'live', since } })
    tape.own(`${service}/output`, { events: output('open') })
    tape.own(`${service}/model`, model('two', 0.9))
    tape.own(`${service}/state`, { state: 'running', since })
  }
}

const output = (state: string) => ({ url: 'mqtt:', state, since: 1, written: 1, dropped: 0 })

const model = (id: string, minScore: number) => ({
  id,
  state: 'ready',
  device: 'auto',
  options: { minScore },
})
