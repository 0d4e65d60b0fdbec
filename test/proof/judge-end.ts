import { agentTopic, serviceTopic, topicRole } from '../../schemas/address.ts'
import { check } from '../../schemas/decode.ts'
import type { AgentStatus, Stats } from '../../schemas/state.ts'
import { type Topic, topics } from '../../schemas/topics.ts'
import { newRunAfter } from './new-run.ts'
import { before, during, jsonOf, lastOn, type Message, type Recording } from './recording.ts'
import { none, type Verdict, verdict, within } from './verdict.ts'

/** After kill -9 and a restart, everything that was desired is desired again, and works. */
export function judgeRestart(recording: Recording): Verdict[] {
  return [
    verdict('restart: a new boot says ready', () => {
      const was = lastOn(recording, before(recording, 'kill'), '$state') as AgentStatus
      const is = lastOn(recording, recording.retainedAfterRestart, '$state') as AgentStatus
      const passed = is.state === 'ready' && is.boot !== was.boot
      return { passed, measured: `boot ${was.boot}, then ${is.boot}: ${is.state}` }
    }),
    ...['a', 'b'].flatMap((service) =>
      ['input', 'output', 'model'].map((part) => desiredAgain(recording, `${service}/${part}`)),
    ),
    ...inputs.map(([service, input]) =>
      verdict(`restart: ${service}/${input} gives results`, () =>
        within(newRunAfter(recording, 'kill', service, input), 10_000),
      ),
    ),
  ]
}

const inputs = [
  ['a', 'clip'],
  ['a', 'pictures'],
  ['a', 'cam'],
  ['b', 'clip'],
] as const

function desiredAgain(recording: Recording, path: string): Verdict {
  return verdict(`restart: ${path} is desired as before`, () => {
    const was = JSON.stringify(desired(lastOn(recording, before(recording, 'kill'), path)))
    const is = JSON.stringify(desired(lastOn(recording, recording.retainedAfterRestart, path)))
    const passed = was === is && was !== undefined
    return { passed, measured: passed ? is : `${was} became ${is}` }
  })
}

/** What a caller asked for, without what it has become. */
function desired(status: unknown): unknown {
  if (typeof status !== 'object' || status === null) return undefined
  if ('device' in status && 'id' in status) {
    const { id, device, options } = status as Record<string, unknown>
    return { id, device, options }
  }
  return Object.fromEntries(
    Object.entries(status)
      .map(([id, { url, fps, loop }]) => [id, { url, fps, loop }])
      .toSorted(),
  )
}

/** Nothing is left behind. */
export function judgeLeftovers(recording: Recording): Verdict[] {
  return [
    verdict('main has loaded no native module', () => none(recording.nativeInMain, 'none')),
    verdict('no service process outlives a killed main', () => none(recording.orphans, 'none')),
    verdict('no process is left at the end', () => none(recording.processesAtEnd, 'none')),
    ...['a', 'b'].map((service) =>
      verdict(`no frame of ${service} is alive after its stop`, () => {
        const stats = lastOn(recording, during(recording, 'stop'), `${service}/stats`) as
          | Stats
          | undefined
        if (!stats) throw new Error('no stats after the stop')
        const alive = Object.entries(stats.inputs).filter(([, input]) => input.alive !== 0)
        return none(
          alive.map(([id, input]) => `${id}: ${input.alive}`),
          'none',
        )
      }),
    ),
    verdict('no retained topic of the removed service is left', () => {
      if (recording.retainedAtEnd.length === 0) throw new Error('nothing is retained at all')
      const own = recording.retainedAtEnd.filter(({ topic }) =>
        topic.startsWith(serviceTopic(recording.book, 'b', '')),
      )
      return none(
        own.map(({ topic }) => topic),
        'none',
      )
    }),
    verdict('retained topics are those of the contract', () => {
      const { retainedAtEnd } = recording
      const a = ['input', 'output', 'model', 'state'].map((path) =>
        serviceTopic(recording.book, 'a', path),
      )
      const missing = a.filter((topic) => !retainedAtEnd.some((message) => message.topic === topic))
      const stray = retainedAtEnd.filter(({ topic }) => topicOf(recording, topic)?.retain !== true)
      return none(
        [...missing.map((topic) => `missing ${topic}`), ...stray.map(({ topic }) => topic)],
        `${retainedAtEnd.length} topics`,
      )
    }),
  ]
}

/** Everything that the agent published is what the contract says of its topic. */
export function judgeContract(recording: Recording): Verdict {
  return verdict('every message of the agent is one of the contract, and valid', () => {
    const own = recording.messages.filter(
      ({ topic }) => topicRole(recording.book, topic).role === 'own',
    )
    if (own.length < 100) throw new Error(`${own.length} messages`)
    return none(
      [...new Set(own.flatMap((message) => breach(recording, message)))],
      `${own.length} messages`,
    )
  })
}

function breach(recording: Recording, message: Message): string[] {
  const topic = topicOf(recording, message.topic)
  if (!topic) return [`${message.topic} is no topic of the contract`]
  if (message.payload.length === 0) return topic.retain ? [] : [`${message.topic} is empty`]
  if (message.qos !== topic.qos) return [`${message.topic} has QoS ${message.qos}`]
  const value = jsonOf(message)
  const decoded = check(topic.payload, value)
  if (!decoded.ok) return [`${message.topic}: ${decoded.problem}`]
  return decoded.unknown.map((field) => `${topic.path}: ${field} is not in the schema`)
}

/** The entry of the contract that a topic name belongs to. */
export function topicOf({ book }: Pick<Recording, 'book'>, name: string): Topic | undefined {
  const id = '[a-z0-9][a-z0-9_-]{0,62}'
  const prefixes = {
    root: `${book.root}/1/`,
    agent: agentTopic(book, ''),
    service: `${agentTopic(book, '')}${id}/`,
  }
  return Object.values(topics).find((topic: Topic) => {
    const path = topic.path.replaceAll('$', '\\$').replaceAll(/\{\w+\}/g, '[^/]+')
    return new RegExp(`^${prefixes[topic.scope].replaceAll('$', '\\$')}${path}$`).test(name)
  })
}
