import { agentTopic } from '../../schemas/address.ts'
import { examples } from '../../schemas/examples.ts'
import { COPY_TOPIC, PICTURES_TOPIC } from './judge-steps.ts'
import { MARK_TOPIC, type Mark, type Message } from './recording.ts'

/** An input that gives a result at a steady pace. */
export interface Feed {
  readonly service: string
  readonly input: string
  readonly everyMs: number
  run: string
  seq: number
  model: string
  copied: boolean
}

/** Makes messages as an agent would, with a clock of its own. */
export interface Tape {
  readonly messages: Message[]
  readonly feeds: readonly Feed[]
  now(): number
  publish(topic: string, payload: unknown, qos?: number): void
  own(path: string, payload: unknown, qos?: number): void
  mark(mark: Mark): void
  step(name: string, play: () => void): void
  stats(service: string, alive: number): void
  /** Time goes by, and the feeds that are not silent give results. */
  pass(ms: number, silent?: string): void
  /** Feeds start over under another run. */
  anew(which: (feed: Feed) => boolean): void
}

const book = { root: 'edge', agent: 'proof' }
const START = 1_790_000_000_000

/** An empty tape with the four inputs of the scenario. */
export function madeTape(): Tape {
  const messages: Message[] = []
  const feeds = [
    feed('a', 'clip', 200),
    feed('a', 'pictures', 500),
    feed('a', 'cam', 250),
    feed('b', 'clip', 200),
  ]
  let now = START

  function publish(topic: string, payload: unknown, qos = 1): void {
    const bytes = Buffer.from(JSON.stringify(payload))
    messages.push({ at: now, retained: false, qos, topic, payload: bytes })
  }
  function own(path: string, payload: unknown, qos = 1): void {
    publish(agentTopic(book, path), payload, qos)
  }
  function result(one: Feed): void {
    if (one.input === 'cam') publish(PICTURES_TOPIC, 'picture', 0)
    const payload = { ...resultOf(one), capturedAt: now }
    one.seq += 1
    own(`${one.service}/detections/${one.input}`, payload, 0)
    if (one.copied) publish(COPY_TOPIC, payload, 0)
  }
  function stats(service: string, alive: number): void {
    const counts = { in: 5, inferred: 5, dropped: 0, failed: 0, alive, total: 5, ms: {} }
    const inputs = feeds
      .filter((one) => one.service === service)
      .map(({ input }) => [input, counts])
    own(
      `${service}/stats`,
      { v: 1, at: now, undelivered: 0, inputs: Object.fromEntries(inputs) },
      0,
    )
  }
  function mark(one: Mark): void {
    publish(MARK_TOPIC, one)
  }

  return {
    messages,
    feeds,
    now: () => now,
    publish,
    own,
    mark,
    stats,
    step(name, play) {
      mark({ step: name, phase: 'begin' })
      play()
      mark({ step: name, phase: 'end' })
    },
    pass(ms, silent) {
      for (const end = now + ms; now < end; now += 50) {
        const talking = feeds.filter(({ service }) => service !== silent)
        for (const one of talking.filter(({ everyMs }) => now % everyMs === 0)) result(one)
        if (now % 1000 === 0) stats('a', 1)
      }
    },
    anew(which) {
      for (const one of feeds.filter(which)) Object.assign(one, { run: `${one.run}x`, seq: 0 })
    },
  }
}

function feed(service: string, input: string, everyMs: number): Feed {
  return { service, input, everyMs, run: service + input, seq: 0, model: 'one', copied: false }
}

function resultOf({ input, model, run, seq, everyMs }: Feed): object {
  const example = examples.detections[0]?.payload as object
  return { ...example, input, model, run, seq, pts: (seq * everyMs) / 1000 }
}
