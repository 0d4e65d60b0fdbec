import { agentTopic } from '../../schemas/address.ts'
import type { Reply } from '../../schemas/envelope.ts'
import type { ErrorEvent } from '../../schemas/state.ts'
import { type BadMessage, FOREIGN_TOPIC, REPLY_PATH } from './bad-messages.ts'
import { newRunAfter } from './new-run.ts'
import { detectionsOf, during, jsonOf, type Message, onTopic, type Recording } from './recording.ts'
import { none, type Verdict, verdict, within } from './verdict.ts'

/** A is back after its process was killed or stopped: the first result of a new run. */
export function judgeBlow(recording: Recording, step: string, name: string): Verdict[] {
  const inputs = ['clip', 'pictures', 'cam']
  return [
    verdict(`${name}: A is back`, () => {
      const times = inputs.map((input) => newRunAfter(recording, step, 'a', input))
      return within(Math.min(...times.map((ms) => ms ?? Number.POSITIVE_INFINITY)), 3000)
    }),
    verdict(`${name}: every input of A is back`, () => {
      const times = inputs.map(
        (input) => newRunAfter(recording, step, 'a', input) ?? Number.POSITIVE_INFINITY,
      )
      return within(Math.max(...times), 6000)
    }),
  ]
}

/** Every bad message has its typed error where it is due, and disturbs neither service. */
export function judgeBadMessages(recording: Recording, sent: readonly BadMessage[]): Verdict[] {
  const verdicts = sent.map((bad) =>
    verdict(`bad message, ${bad.kind}: ${bad.code}`, () => {
      const messages = during(recording, 'bad', bad.kind)
      const [mark] = messages
      const answer = messages.find((message) => answers(recording, bad, message))
      if (!mark || !answer) return { passed: false, measured: seenInstead(recording, messages) }
      const since = messages.slice(messages.indexOf(answer) + 1)
      const next = ['a', 'b'].map(
        (service) => detectionsOf(recording, since, service, 'clip')[0]?.at,
      )
      const last = next.includes(undefined) ? undefined : Math.max(...next.map((at) => at ?? 0))
      const waited = within(last && last - mark.at, 2000)
      const answered = `answered in ${Math.round(answer.at - mark.at)} ms`
      return { ...waited, measured: `${answered}, next results of both: ${waited.measured}` }
    }),
  )
  return [...verdicts, judgeForeign(recording)]
}

function judgeForeign(recording: Recording): Verdict {
  return verdict('nothing was published where a foreign replyTo said', () => {
    during(recording, 'bad')
    const stray = onTopic(recording.messages, FOREIGN_TOPIC)
    return none(
      stray.map(({ payload }) => payload.toString()),
      'nothing',
    )
  })
}

function answers({ book }: Recording, bad: BadMessage, message: Message): boolean {
  if (bad.answer === 'reply') {
    if (message.topic !== `${book.root}/1/${REPLY_PATH}`) return false
    const { status, code } = jsonOf(message) as Reply
    return status === 'error' && code === bad.code
  }
  if (message.topic !== agentTopic(book, bad.answer)) return false
  const { code, topic } = jsonOf(message) as ErrorEvent
  return code === bad.code && topic === agentTopic(book, bad.path)
}

function seenInstead({ book }: Recording, messages: readonly Message[]): string {
  const places = [
    agentTopic(book, 'a/error'),
    agentTopic(book, 'ghost/error'),
    agentTopic(book, '$error'),
    `${book.root}/1/${REPLY_PATH}`,
  ]
  const seen = messages.filter(({ topic }) => places.includes(topic))
  return seen.length === 0
    ? 'no answer'
    : seen.map(({ topic, payload }) => `${topic}: ${payload.toString().slice(0, 160)}`).join('; ')
}
