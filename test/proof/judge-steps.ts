import { serviceTopic } from '../../schemas/address.ts'
import type { ModelStatus, Outputs, Stats } from '../../schemas/state.ts'
import type { Static } from '../../schemas/typebox.ts'
import { holes, longestSilence, skips } from './continuity.ts'
import {
  before,
  detectionsOf,
  during,
  jsonOf,
  lastOn,
  type Message,
  onTopic,
  type Recording,
  type Seen,
  seenOn,
} from './recording.ts'
import { none, type Verdict, verdict, within } from './verdict.ts'

/** The topic to which the output that comes and goes copies the results. */
export const COPY_TOPIC = 'proof/copy'

/** The topic on which pictures are published. */
export const PICTURES_TOPIC = 'cam/a'

/** How often the files are sampled, per second. */
export const FILE_FPS = 5

/** Fewest results of each input in each step: less would prove nothing. */
const LEAST = 8

/** B was never disturbed by what was done to A, until the main process was killed. */
export function judgeB(recording: Recording): Verdict[] {
  const clip = () => detectionsOf(recording, before(recording, 'kill'), 'b', 'clip')
  return [
    verdict('B: no hole in seq until the death of main', () => {
      const seen = clip()
      const faults = [...holes(seen, 5 * LEAST), ...skips(seen, 1 / FILE_FPS)]
      return none(faults, `${seen.length} results, run ${seen[0]?.run}, every seq once`)
    }),
    verdict('B: never silent until the death of main', () => {
      const death = before(recording, 'kill').at(-1)?.at ?? 0
      return within(longestSilence([...clip().map(({ at }) => at), death]), 2500)
    }),
  ]
}

/** Step 1: an output is added and removed. */
export function judgeOutputStep(recording: Recording): Verdict[] {
  return [
    ...['clip', 'pictures'].map((input) => undisturbedFile(recording, 'output', input)),
    undisturbedFeed(recording, 'output'),
    verdict('1 output: it opened, copied every result of its time, and went', () => {
      const messages = during(recording, 'output')
      const states = onTopic(messages, serviceTopic(recording.book, 'a', 'output')).map(
        (message) => (jsonOf(message) as Static<typeof Outputs>).extra?.state,
      )
      const copied = holes(seenOn(messages, COPY_TOPIC), LEAST)
      const faults = [
        ...(states.includes('open') ? [] : ['it was never open']),
        ...(states.at(-1) === undefined ? [] : ['it did not go']),
        ...copied,
      ]
      return none(faults, `${onTopic(messages, COPY_TOPIC).length} copies`)
    }),
  ]
}

/** Step 2: one of A's inputs is changed. */
export function judgeInputStep(recording: Recording): Verdict[] {
  return [
    undisturbedFile(recording, 'input', 'clip'),
    undisturbedFeed(recording, 'input'),
    verdict('2 input: the changed one was opened anew and gives results', () => {
      const seen = detectionsOf(recording, during(recording, 'input'), 'a', 'pictures')
      const runs = new Set(seen.map(({ run }) => run))
      const last = seen.filter(({ run }) => run === seen.at(-1)?.run)
      const faults = [
        ...(runs.size === 2 ? [] : [`${runs.size} runs, expected 2`]),
        ...holes(last, LEAST),
      ]
      return none(faults, `${last.length} results of the new run`)
    }),
  ]
}

/** Step 3: A's model gets other options, then is replaced. */
export function judgeModelStep(recording: Recording): Verdict[] {
  return [
    ...['clip', 'pictures'].map((input) => undisturbedFile(recording, 'model', input)),
    verdict('3 model: options took effect, then the other model', () => {
      const messages = during(recording, 'model')
      const seen = detectionsOf(recording, messages, 'a', 'clip')
      const models = [...new Set(seen.map(({ model }) => model))]
      const status = lastOn(recording, messages, 'a/model') as ModelStatus
      const cut = onTopic(messages, serviceTopic(recording.book, 'a', 'model')).some(
        (message) => (jsonOf(message) as ModelStatus).options.minScore === 0.9,
      )
      const faults = [
        ...(models.length === 2 ? [] : [`models seen: ${models.join(', ')}`]),
        ...(status.state === 'ready' && status.id === models[1]
          ? []
          : [`model is ${status.id}, ${status.state}`]),
        ...(cut ? [] : ['minScore never became 0.9']),
      ]
      return none(faults, models.join(', then '))
    }),
    verdict('3 model: pause between the last result of the old and the first of the new', () => {
      const seen = detectionsOf(recording, during(recording, 'model'), 'a', 'clip')
      return within(longestSilence(seen.map(({ at }) => at)), 10_000)
    }),
  ]
}

function undisturbedFile(recording: Recording, step: string, input: string): Verdict {
  return verdict(`${step}: A's ${input} loses nothing`, () => {
    const seen = detectionsOf(recording, during(recording, step), 'a', input)
    const faults = [...holes(seen, LEAST), ...(input === 'clip' ? skips(seen, 1 / FILE_FPS) : [])]
    return none(faults, `${seen.length} results, seq ${seen[0]?.seq}–${seen.at(-1)?.seq}`)
  })
}

/** Pictures come at the world's pace: none may be dropped, and each one published has its result. */
function undisturbedFeed(recording: Recording, step: string): Verdict {
  return verdict(`${step}: A's cam loses nothing`, () => {
    const messages = during(recording, step)
    const seen = capturedDuring(recording, messages)
    const published = onTopic(messages, PICTURES_TOPIC).length
    const dropped = droppedOf(recording, messages, 'cam')
    const faults = [
      ...holes(seen, LEAST),
      ...(Math.abs(published - seen.length) <= 2
        ? []
        : [`${published} pictures, ${seen.length} results`]),
      ...(dropped === 0 ? [] : [`${dropped} dropped`]),
    ]
    return none(faults, `${published} pictures, ${seen.length} results, 0 dropped`)
  })
}

/** Results of what the agent got during these messages, however long inferring it took. */
function capturedDuring(recording: Recording, messages: readonly Message[]): Seen[] {
  const [from, to] = [messages[0]?.at ?? 0, messages.at(-1)?.at ?? 0]
  const all = detectionsOf(recording, recording.messages, 'a', 'cam')
  return all.filter(({ capturedAt }) => capturedAt >= from && capturedAt <= to)
}

function droppedOf({ book }: Recording, messages: readonly Message[], input: string): number {
  const stats = onTopic(messages, serviceTopic(book, 'a', 'stats'))
  if (stats.length < 2) throw new Error(`${stats.length} messages of stats, expected 2`)
  return stats
    .map((message) => (jsonOf(message) as Stats).inputs[input])
    .reduce((sum, one) => sum + (one ? one.dropped + one.failed : 0), 0)
}
