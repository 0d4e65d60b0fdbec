import { existsSync } from 'node:fs'
import { setTimeout as passed } from 'node:timers/promises'
import { clipUrl } from '../../bench/material.ts'
import { anonymousMb } from '../../bench/proc.ts'
import { prepareSubject, type Subject } from '../../bench/subject.ts'
import type { AgentInfo, Metrics } from '../../schemas/state.ts'
import { fuzzMessage, randomFrom } from './fuzz.ts'
import { inspect, inspectable } from './inspector.ts'
import { type Sample, slopePerHour } from './slope.ts'

/** What a soak found. */
export interface Outcome {
  readonly minutes: number
  readonly fuzzed: number
  readonly blows: Readonly<Record<string, number>>
  readonly slowestRecoveryMs: number
  readonly memory: { readonly firstMb: number; readonly lastMb: number; readonly mbPerHour: number }
  readonly failures: readonly string[]
}

interface Run {
  readonly subject: Subject
  readonly random: () => number
  readonly say: (text: string) => void
  readonly failures: string[]
}

const REPLY_TO = 'edge/1/$reply/soak'
const BATCH = 50
/** Restarts that follow one another closely are delayed on purpose. */
const RECOVERY_LIMIT_MS = 40_000
/** A leak of a kilobyte per message would be ten times this. */
const MEMORY_LIMIT_MB = 20

/** Fuzzes, then kills, for half of the time each. */
export async function soak(
  minutes: number,
  seed: number,
  say: (text: string) => void,
): Promise<Outcome> {
  const clip = { url: clipUrl, fps: 5, loop: true }
  const services = {
    a: { input: { clip } },
    b: { input: { clip } },
    fuzz: { compute: 'stop' },
  } as const
  const subject = await prepareSubject(services, '#')
  const run: Run = { subject, random: randomFrom(seed), say, failures: [] }
  const halfMs = (minutes * 60_000) / 2
  try {
    subject.start(inspectable)
    await Promise.all(
      ['a', 'b'].map((name) => subject.until(`${name}/detections/clip`, () => true, 180_000)),
    )
    const { fuzzed, memory } = await fuzzFor(run, halfMs)
    const { blows, slowestRecoveryMs } = await killFor(run, halfMs)
    return { minutes, fuzzed, blows, slowestRecoveryMs, memory, failures: run.failures }
  } finally {
    await subject.close()
  }
}

async function fuzzFor(run: Run, ms: number): Promise<Pick<Outcome, 'fuzzed' | 'memory'>> {
  const { subject, random, say } = run
  const samples: Sample[] = []
  const inspector = await inspect(subject.main())
  let fuzzed = 0
  for (const end = performance.now() + ms; performance.now() < end; ) {
    for (let at = 0; at < BATCH; at++, fuzzed++) {
      const { path, payload } = fuzzMessage(random, random() < 0.5 ? 'ghost' : 'fuzz')
      subject.controller.publish(subject.topic(path), payload)
    }
    await expectAnswer(run, `after ${fuzzed} messages`)
    await expectResults(run, ['a', 'b'], `after ${fuzzed} messages`, 5000)
    await removeOthers(subject)
    await inspector.collectGarbage()
    samples.push({ atMs: performance.now(), value: await anonymousMb(subject.main()) })
    say(`${fuzzed + BATCH} messages: main ${samples.at(-1)?.value.toFixed(1)} MB`)
  }
  inspector.close()
  const [first, last] = [samples[0]?.value ?? 0, samples.at(-1)?.value ?? 0]
  if (last - first > MEMORY_LIMIT_MB) run.failures.push(`main grew from ${first} to ${last} MB`)
  say(`${fuzzed} messages, main from ${first.toFixed(1)} to ${last.toFixed(1)} MB`)
  return { fuzzed, memory: { firstMb: first, lastMb: last, mbPerHour: slopePerHour(samples) } }
}

async function killFor(
  run: Run,
  ms: number,
): Promise<Pick<Outcome, 'blows' | 'slowestRecoveryMs'>> {
  const { random, say } = run
  const blows: Record<string, number> = {}
  let slowestRecoveryMs = 0
  for (const end = performance.now() + ms; performance.now() < end; ) {
    const kinds = Object.keys(blow) as (keyof typeof blow)[]
    const kind = kinds[Math.floor(random() * kinds.length)] ?? 'kill main'
    const began = performance.now()
    const hit = await blow[kind](run.subject).catch(async (error: unknown) => {
      run.failures.push(`${kind}: ${error}; the agent said last: ${await run.subject.lastWords()}`)
      return undefined
    })
    if (!hit) break
    await expectResults(run, hit, `after '${kind}'`, RECOVERY_LIMIT_MS)
    const took = performance.now() - began
    blows[kind] = (blows[kind] ?? 0) + 1
    slowestRecoveryMs = Math.max(slowestRecoveryMs, Math.round(took))
    say(`${kind}: results of ${hit.join(' and ')} after ${took.toFixed(0)} ms`)
    await passed(random() * 3000)
  }
  return { blows, slowestRecoveryMs }
}

/** What is done to the agent, and which services must come back. */
const blow = {
  'kill a': (subject: Subject) => strike(subject, 'SIGKILL'),
  'stop a': (subject: Subject) => strike(subject, 'SIGSTOP'),
  async 'segv a'(subject: Subject) {
    const hit = await strike(subject, 'SIGSEGV')
    // Two of them would put its input into quarantine; setting it anew forgives the first.
    subject.command('a/input/set', { clip: { url: clipUrl, fps: 5, loop: true } })
    return hit
  },
  async 'kill main'(subject: Subject) {
    process.kill(subject.main(), 'SIGKILL')
    await subject.restart()
    return ['a', 'b']
  },
}

async function strike(subject: Subject, signal: NodeJS.Signals): Promise<string[]> {
  let pid: number | undefined
  // The message that comes first is retained and may name a process that is gone.
  await subject.until('$metrics', ({ services }: Metrics) => {
    pid = services.a?.pid
    return pid !== undefined && existsSync(`/proc/${pid}`)
  })
  if (pid !== undefined) process.kill(pid, signal)
  return ['a']
}

async function expectAnswer({ subject, failures }: Run, when: string): Promise<void> {
  const id = `ping-${performance.now()}`
  const answered = subject.controller.seen(
    (topic, payload) => topic === REPLY_TO && payload.includes(id),
    2000,
  )
  subject.command('$cmd/ping', { v: 1, id, replyTo: REPLY_TO, args: {} })
  if (!(await answered)) failures.push(`${when}: no answer to a ping within 2 s`)
}

/** Ten results of each service, so that one that was under way does not count. */
async function expectResults(
  { subject, failures }: Run,
  services: readonly string[],
  when: string,
  withinMs: number,
): Promise<void> {
  const left = new Map(services.map((name) => [subject.topic(`${name}/detections/clip`), 10]))
  const came = await subject.controller.seen((topic) => {
    const count = left.get(topic)
    if (count !== undefined && count > 1) left.set(topic, count - 1)
    else left.delete(topic)
    return left.size === 0
  }, withinMs)
  if (came) return
  const missing = `no results of ${[...left.keys()].join(', ')} within ${withinMs} ms`
  failures.push(`${when}: ${missing}; the agent said last: ${await subject.lastWords()}`)
}

/** Fuzzed messages may have made services; they go, so that the next batch meets the same agent. */
async function removeOthers(subject: Subject): Promise<void> {
  const services = (await subject.retained<AgentInfo>('$info')).services
  const others = services.filter((name) => !['a', 'b', 'fuzz'].includes(name))
  for (const service of others) subject.command('$cmd/service/remove', { service })
}
