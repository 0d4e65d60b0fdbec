import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as passed } from 'node:timers/promises'
import { holes } from '../test/proof/continuity.ts'
import { startRecorder } from '../test/proof/recorder.ts'
import { parseMessages, seenOn } from '../test/proof/recording.ts'
import { type BareResult, runLoop } from './bare.ts'
import type { Figure } from './figure.ts'
import { clipUrl } from './material.ts'
import { cpuMsOf } from './proc.ts'
import { prepareSubject, type Subject } from './subject.ts'

/** One round: the agent between two halves of bare inference, decoding alone, and both bare loops at once. */
interface Round {
  readonly agent: BareResult
  readonly inference: BareResult
  readonly decode: BareResult
  /** What the agent's own reader takes to decode and scale, alone. */
  readonly own: BareResult
  /** The two bare loops at the same time, decoding at the rate of the inference: they share caches and clock. */
  readonly together: { readonly inference: BareResult; readonly decode: BareResult }
}

/**
 * What the agent costs on top of what any program must do, and how close it comes to the model's own
 * rate: one service, one file as fast as it goes, one inference thread. An outside subscriber counts.
 */
export async function benchThroughput(
  rounds: number,
  seconds: number,
  say: (text: string) => void,
): Promise<Figure[]> {
  const subject = await prepareSubject({
    one: { input: { clip: { url: clipUrl, pace: 'fast', loop: true } }, compute: 'stop' },
  })
  try {
    const done: Round[] = []
    subject.start()
    await subject.controller.connected(60_000)
    for (let round = 0; round < rounds; round++) {
      // A machine's clock drifts by a tenth within a minute, which is more than what is looked for.
      const before = await runLoop('bare-inference', seconds / 2)
      const agent = await agentRound(subject, seconds)
      const inference = sum(before, await runLoop('bare-inference', seconds / 2))
      const decode = await runLoop('bare-decode', seconds)
      const own = await runLoop('own-decode', seconds)
      const together = await bothLoops(seconds, perSecond(inference))
      done.push({ agent, inference, decode, own, together })
      say(
        `  round ${round + 1}: ${describe(agent)}; bare inference ${describe(inference)}; bare decode and scale ${describe(decode)}, ours ${describe(own)}; at once ${describe(together.inference)} and ${describe(together.decode)}`,
      )
    }
    return figuresOf(done)
  } finally {
    await subject.close()
  }
}

async function bothLoops(seconds: number, rate: number): Promise<Round['together']> {
  const [inference, decode] = await Promise.all([
    runLoop('bare-inference', seconds),
    runLoop('bare-decode', seconds, rate),
  ])
  return { inference, decode }
}

async function agentRound(subject: Subject, seconds: number): Promise<BareResult> {
  const { folder, port, main } = subject
  const file = join(folder, `${Date.now()}.txt`)
  const recorder = startRecorder(port, file)
  subject.command('one/compute', { action: 'start' })
  await subject.until('one/detections/clip', () => true)
  await passed(2000)
  const pids = [main(), ...(await subject.servicePids())]
  const [began, cpu] = [Date.now(), await cpuMsOf(pids)]
  await passed(seconds * 1000)
  const [ended, cpuMs] = [Date.now(), (await cpuMsOf(pids)) - cpu]
  subject.command('one/compute', { action: 'stop' })
  await subject.until('one/state', ({ state }: { state: string }) => state === 'idle')
  await recorder.stop()
  const all = seenOn(
    parseMessages(await readFile(file, 'utf8')),
    subject.topic('one/detections/clip'),
  )
  const seen = all.filter(({ at }) => at >= began && at < ended)
  const faults = holes(seen, 1)
  if (faults.length > 0)
    throw new Error(`not every seq came once: ${faults.slice(0, 3).join('; ')}`)
  return { count: seen.length, wallMs: ended - began, cpuMs }
}

function sum(a: BareResult, b: BareResult): BareResult {
  return { count: a.count + b.count, wallMs: a.wallMs + b.wallMs, cpuMs: a.cpuMs + b.cpuMs }
}

const cpuEach = ({ cpuMs, count }: BareResult): number => cpuMs / count
const perSecond = ({ count, wallMs }: BareResult): number => (count * 1000) / wallMs

function describe(result: BareResult): string {
  return `${perSecond(result).toFixed(1)}/s, ${cpuEach(result).toFixed(2)} CPU ms each`
}

function figuresOf(rounds: readonly Round[]): Figure[] {
  const each = (of: (round: Round) => number) => rounds.map(of)
  return [
    {
      name: 'CPU per detection beyond bare inference ÷ bare decode and scale',
      unit: '',
      rounds: each(
        (round) => (cpuEach(round.agent) - cpuEach(round.inference)) / cpuEach(round.decode),
      ),
      limit: { atMost: 1.3 },
    },
    {
      name: 'the same, against both bare loops at once',
      unit: '',
      rounds: each(
        ({ agent, together }) =>
          (cpuEach(agent) - cpuEach(together.inference)) / cpuEach(together.decode),
      ),
    },
    {
      name: 'detections per second ÷ bare inferences per second',
      unit: '',
      rounds: each((round) => perSecond(round.agent) / perSecond(round.inference)),
      limit: { atLeast: 0.95 },
    },
    {
      name: 'CPU of decode and scale, ours ÷ bare',
      unit: '',
      rounds: each(({ own, decode }) => cpuEach(own) / cpuEach(decode)),
    },
    { name: 'detections', unit: '/s', rounds: each(({ agent }) => perSecond(agent)) },
    { name: 'CPU per detection', unit: 'ms', rounds: each(({ agent }) => cpuEach(agent)) },
    { name: 'bare inferences', unit: '/s', rounds: each(({ inference }) => perSecond(inference)) },
    {
      name: 'CPU per bare inference',
      unit: 'ms',
      rounds: each(({ inference }) => cpuEach(inference)),
    },
    {
      name: 'CPU per bare decode and scale',
      unit: 'ms',
      rounds: each(({ decode }) => cpuEach(decode)),
    },
  ]
}
