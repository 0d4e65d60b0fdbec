import { type AddressBook, agentTopic, serviceTopic } from '../../schemas/address.ts'
import type { Result } from '../../schemas/results.ts'

/** What the recorder is told to print of a message: Unix time, retained, QoS, payload in hex, topic. */
export const RECORD_FORMAT = '%U %r %q %x %t'

/** Where the scenario notes, for the recording, what it is about to do. */
export const MARK_TOPIC = 'proof/mark'

/** One message as the recorder got it. */
export interface Message {
  /** Unix ms. */
  readonly at: number
  readonly retained: boolean
  readonly qos: number
  readonly topic: string
  readonly payload: Buffer
}

/** A note of the scenario: a step begins or ends, or a bad message is about to be sent. */
export interface Mark {
  readonly step: string
  readonly phase: 'begin' | 'end'
  /** Which of several of the step. */
  readonly item?: string
}

/** A detection with the time at which it was recorded. */
export interface Seen extends Result {
  readonly at: number
}

/** Everything that is judged: what outside programs wrote down, and nothing of the agent's memory. */
export interface Recording {
  readonly book: AddressBook
  readonly messages: readonly Message[]
  /** Retained topics after the main process was killed and started again. */
  readonly retainedAfterRestart: readonly Message[]
  /** Retained topics after one service was removed, while the agent still ran. */
  readonly retainedAtEnd: readonly Message[]
  /** Native modules that were loaded into the main process before it was killed, by file. */
  readonly nativeInMain: readonly string[]
  /** Service processes that outlived the main process which was killed, as `<pid> <command>`. */
  readonly orphans: readonly string[]
  /** Processes that were left when the agent had been ended. */
  readonly processesAtEnd: readonly string[]
}

/** Reads what `mosquitto_sub -F` wrote. A last line without its end was being written: it is left out. */
export function parseMessages(text: string): Message[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  return whole.split('\n').filter(Boolean).map(parseLine)
}

const line = /^(\d+\.\d+) ([01]) ([012]) ((?:[0-9a-f]{2})*) (.+)$/

function parseLine(text: string): Message {
  const [, at, retained, qos, hex = '', topic = ''] = line.exec(text) ?? []
  if (at === undefined) throw new Error(`no recorded message: ${text.slice(0, 120)}`)
  return {
    at: Number(at) * 1000,
    retained: retained === '1',
    qos: Number(qos),
    topic,
    payload: Buffer.from(hex, 'hex'),
  }
}

/** The payload as JSON; undefined where it is none. */
export function jsonOf(message: Message | undefined): unknown {
  try {
    return JSON.parse(message?.payload.toString('utf8') ?? '')
  } catch {
    return undefined
  }
}

/** Messages on one topic, in order. */
export function onTopic(messages: readonly Message[], topic: string): Message[] {
  return messages.filter((message) => message.topic === topic)
}

/** The results on one topic, in order. */
export function seenOn(messages: readonly Message[], topic: string): Seen[] {
  return onTopic(messages, topic).map((message) => ({
    ...(jsonOf(message) as Result),
    at: message.at,
  }))
}

/** The detections of one input, in order. */
export function detectionsOf(
  { book }: Recording,
  messages: readonly Message[],
  service: string,
  input: string,
): Seen[] {
  return seenOn(messages, serviceTopic(book, service, `detections/${input}`))
}

/** What an agent or service topic last said among these messages. */
export function lastOn({ book }: Recording, messages: readonly Message[], path: string): unknown {
  return jsonOf(onTopic(messages, agentTopic(book, path)).at(-1))
}

/** Where a mark stands among the messages; throws if the scenario never got there. */
export function indexOfMark({ messages }: Recording, wanted: Mark): number {
  const at = messages.findIndex((message) => {
    if (message.topic !== MARK_TOPIC) return false
    const { step, phase, item } = jsonOf(message) as Mark
    return step === wanted.step && phase === wanted.phase && item === wanted.item
  })
  if (at < 0) {
    const item = wanted.item ? `, ${wanted.item}` : ''
    throw new Error(`the recording ends before the ${wanted.phase} of: ${wanted.step}${item}`)
  }
  return at
}

/** The messages between the begin and the end of a step, or of one item of it. */
export function during(recording: Recording, step: string, item?: string): Message[] {
  const named = item === undefined ? { step } : { step, item }
  const from = indexOfMark(recording, { ...named, phase: 'begin' })
  const to = indexOfMark(recording, { ...named, phase: 'end' })
  return recording.messages.slice(from, to + 1)
}

/** The messages before a mark. */
export function before(recording: Recording, step: string): Message[] {
  return recording.messages.slice(0, indexOfMark(recording, { step, phase: 'begin' }))
}
