import { type AddressBook, topicRole } from '../schemas/address.ts'
import type { Limits } from './limits.ts'

/** What the broker does with a publish. */
export type Verdict =
  /** Other people's topics: plain publish and subscribe. */
  | { readonly kind: 'pass' }
  /** For the agent, and for whoever subscribed to it. */
  | { readonly kind: 'control' }
  /** Acknowledged, reported, and otherwise ignored. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Against the protocol: the connection ends. */
  | { readonly kind: 'violation'; readonly problem: string }

interface Published {
  readonly topic: string
  readonly qos: number
  readonly retain: boolean
}

/** Judges what a client wants to publish, now or as its Will. */
export function judgePublish(book: AddressBook, limits: Limits, published: Published): Verdict {
  const problem = nameProblem(published)
  if (problem) return { kind: 'violation', problem }
  const reason = refusal(book, limits, published)
  if (reason) return { kind: 'refused', reason }
  return topicRole(book, published.topic).role === 'foreign'
    ? { kind: 'pass' }
    : { kind: 'control' }
}

/** Why nobody may subscribe to `filter`, if so. `$SYS` is allowed, for tools that ask out of habit, and silent. */
export function filterProblem(limits: Limits, filter: string): string | undefined {
  if (damaged(filter)) return 'the filter is not valid UTF-8, or holds NUL'
  if (filter.startsWith('$') && !filter.startsWith('$SYS/')) return 'no topics start with $'
  return sizeProblem(limits, filter)
}

function nameProblem({ topic, qos }: Published): string | undefined {
  if (topic === '') return 'empty topic'
  if (/[+#]/.test(topic)) return 'wildcard in a topic name'
  if (damaged(topic)) return 'topic is not valid UTF-8, or holds NUL'
  if (qos > 2) return `QoS ${qos}`
  return
}

function refusal(book: AddressBook, limits: Limits, { topic, retain }: Published) {
  if (topic.startsWith('$')) return 'topics that start with $ are reserved'
  const { role } = topicRole(book, topic)
  if (role === 'own') return 'only the agent publishes on this topic'
  if (role !== 'foreign' && retain) return 'control messages must not be retained'
  return sizeProblem(limits, topic)
}

function sizeProblem(limits: Limits, topic: string): string | undefined {
  if (topic.length > limits.topicLength) {
    return `topic of ${topic.length} characters (allowed: ${limits.topicLength})`
  }
  const levels = topic.split('/').length
  if (levels > limits.topicLevels)
    return `topic of ${levels} levels (allowed: ${limits.topicLevels})`
  return
}

/** The decoder turns bad UTF-8 into U+FFFD; a genuine U+FFFD is no loss to anyone. */
function damaged(text: string): boolean {
  return text.includes('\0') || text.includes('\uFFFD')
}
