import { cpus } from 'node:os'
import { setTimeout as passed } from 'node:timers/promises'
import { type Figure, quantile } from './figure.ts'
import { clipUrl } from './material.ts'
import { prepareSubject, type Subject } from './subject.ts'

/** Requests before each series that do not count: both programs compile what they run often. */
const WARM_UP = 100
const REPLY_TO = 'edge/1/$reply/bench'

/**
 * From a control message to its reply over TCP, by a client in another process: with nothing else to
 * do, and while there are as many services inferring without a pause as the machine has cores.
 */
export async function benchRoundTrip(
  rounds: number,
  requests: number,
  say: (text: string) => void,
): Promise<Figure[]> {
  const names = cpus().map((_, core) => `s${core}`)
  const service = {
    input: { clip: { url: clipUrl, pace: 'fast', loop: true } },
    compute: 'stop',
  } as const
  const subject = await prepareSubject(Object.fromEntries(names.map((name) => [name, service])))
  try {
    subject.start()
    await subject.controller.connected(60_000)
    const idle: number[][] = []
    const busy: number[][] = []
    for (let round = 0; round < rounds; round++) {
      idle.push(await roundTrips(subject, requests))
      await everyCore(subject, names, 'start')
      busy.push(await roundTrips(subject, requests))
      await everyCore(subject, names, 'stop')
      say(
        `  round ${round + 1}: idle ${describe(idle.at(-1))}; every core infers ${describe(busy.at(-1))}`,
      )
    }
    return figuresOf(idle, busy)
  } finally {
    await subject.close()
  }
}

async function everyCore(subject: Subject, names: readonly string[], action: 'start' | 'stop') {
  const becomes = action === 'start' ? 'running' : 'idle'
  const done = names.map((name) =>
    subject.until(`${name}/state`, ({ state }: { state: string }) => state === becomes),
  )
  for (const name of names) subject.command(`${name}/compute`, { action })
  await Promise.all(done)
  await passed(2000)
}

/** Times of requests (ms) one after another, with pauses of uneven length between them. */
export async function roundTrips(subject: Subject, requests: number): Promise<number[]> {
  const times: number[] = []
  for (let at = -WARM_UP; at < requests; at++) {
    const id = `${Date.now()}-${at}`
    const answered = subject.controller.seen(
      (topic, payload) => topic === REPLY_TO && payload.includes(id),
      5000,
    )
    const began = performance.now()
    subject.command('$cmd/ping', { v: 1, id, replyTo: REPLY_TO, args: {} })
    if (!(await answered)) throw new Error('a ping was not answered within 5 s')
    if (at >= 0) times.push(performance.now() - began)
    await passed(5 + ((Math.abs(at) * 7) % 13))
  }
  return times
}

function figuresOf(idle: readonly number[][], busy: readonly number[][]): Figure[] {
  const at = (share: number) => (times: readonly number[]) => quantile(times, share)
  const more = busy.map((times, round) => at(0.99)(times) - at(0.99)(idle[round] ?? []))
  return [
    {
      name: 'control round trip, idle, p50',
      unit: 'ms',
      rounds: idle.map(at(0.5)),
      limit: { atMost: 2 },
    },
    {
      name: 'control round trip, idle, p99',
      unit: 'ms',
      rounds: idle.map(at(0.99)),
      limit: { atMost: 5 },
    },
    { name: 'control round trip, every core infers, p50', unit: 'ms', rounds: busy.map(at(0.5)) },
    { name: 'control round trip, every core infers, p99', unit: 'ms', rounds: busy.map(at(0.99)) },
    { name: 'p99 more while every core infers', unit: 'ms', rounds: more, limit: { atMost: 8 } },
  ]
}

function describe(times: readonly number[] = []): string {
  return `p50 ${quantile(times, 0.5).toFixed(2)} ms, p99 ${quantile(times, 0.99).toFixed(2)} ms`
}
