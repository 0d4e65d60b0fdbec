import autocannon from 'autocannon'
import { type BareResult, runLoop } from './bare.ts'
import { type Figure, quantile } from './figure.ts'
import { clipUrl } from './material.ts'
import { pssMb } from './proc.ts'
import { still } from './still.ts'
import { prepareSubject, type Subject } from './subject.ts'

const clients = [1, 8, 32] as const
/** Requests of a control route, one after another, per round. */
const CONTROL_REQUESTS = 300

interface Load {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

interface Round {
  readonly bare: BareResult
  readonly loads: ReadonlyMap<number, Load>
  /** Memory of the agent and its service after all loads, MB. */
  readonly mainMb: number
  readonly serviceMb: number
  /** Times of control requests while every core infers, ms. */
  readonly control: readonly number[]
}

/**
 * `POST /compute` with a JPEG of 720p, answered by the annotated JPEG, against a bare loop of decode, resize, infer and
 * encode; and how long a control route takes while every core infers.
 */
export async function benchHttp(
  rounds: number,
  seconds: number,
  say: (text: string) => void,
): Promise<Figure[]> {
  const input = { clip: { url: clipUrl, pace: 'fast', loop: true } } as const
  const subject = await prepareSubject({
    one: { input, compute: 'stop' },
    two: { input, compute: 'stop' },
  })
  try {
    subject.start()
    await subject.controller.connected(60_000)
    const body = await still()
    await load(subject, body, 8, 3)
    const done: Round[] = []
    for (let round = 0; round < rounds; round++) {
      const bareFirst = round % 2 === 0
      const first = bareFirst ? await runLoop('bare-still', seconds) : undefined
      const loads = new Map<number, Load>()
      for (const count of clients) loads.set(count, await load(subject, body, count, seconds))
      const mainMb = await pssMb(subject.main())
      const services = await Promise.all((await subject.servicePids()).map(pssMb))
      const bare = first ?? (await runLoop('bare-still', seconds))
      const control = await controlTimes(subject)
      done.push({ bare, loads, mainMb, serviceMb: Math.max(...services), control })
      say(`  round ${round + 1}: ${describe(done.at(-1))}`)
    }
    return figuresOf(done)
  } finally {
    await subject.close()
  }
}

async function load(
  subject: Subject,
  body: Buffer,
  connections: number,
  duration: number,
): Promise<Load> {
  const result = await autocannon({
    url: `${subject.http}/services/one/compute`,
    method: 'POST',
    headers: { accept: 'image/jpeg', 'content-type': 'image/jpeg' },
    body,
    connections,
    duration,
    timeout: 30,
  })
  const { non2xx, errors, latency, requests } = result
  if (non2xx > 0 || errors > 0) throw new Error(`${non2xx} refused, ${errors} failed`)
  return { perSecond: requests.total / result.duration, p50: latency.p50, p99: latency.p99 }
}

async function controlTimes(subject: Subject): Promise<number[]> {
  const names = ['one', 'two']
  await Promise.all(names.map((name) => becomes(subject, name, 'start', 'running')))
  const times: number[] = []
  for (let at = 0; at < CONTROL_REQUESTS; at++) {
    const began = performance.now()
    const response = await fetch(`${subject.http}/services/one/output`)
    await response.text()
    times.push(performance.now() - began)
    await new Promise((resolve) => setTimeout(resolve, 5 + ((at * 7) % 13)))
  }
  await Promise.all(names.map((name) => becomes(subject, name, 'stop', 'idle')))
  return times.slice(CONTROL_REQUESTS / 10)
}

async function becomes(subject: Subject, name: string, action: string, state: string) {
  const done = subject.until(`${name}/state`, (now: { state: string }) => now.state === state)
  subject.command(`${name}/compute`, { action })
  await done
}

function figuresOf(rounds: readonly Round[]): Figure[] {
  const each = (of: (round: Round) => number) => rounds.map(of)
  const perClients = clients.flatMap((count): Figure[] => {
    const at = (of: (load: Load) => number) =>
      each(({ loads }) => of(loads.get(count) ?? { perSecond: 0, p50: 0, p99: 0 }))
    const name = `POST /compute, ${count} client${count > 1 ? 's' : ''}`
    return [
      {
        name: `${name} ÷ bare decode, resize, infer and encode`,
        unit: '',
        rounds: rounds.map(
          ({ bare }, round) => (at((one) => one.perSecond)[round] ?? 0) / rate(bare),
        ),
        ...(count === 8 ? { limit: { atLeast: 0.85 } } : {}),
      },
      { name, unit: '/s', rounds: at(({ perSecond }) => perSecond) },
      { name: `${name}, p50`, unit: 'ms', rounds: at(({ p50 }) => p50) },
      { name: `${name}, p99`, unit: 'ms', rounds: at(({ p99 }) => p99) },
    ]
  })
  return [
    ...perClients,
    {
      name: 'bare decode, resize, infer and encode',
      unit: '/s',
      rounds: each(({ bare }) => rate(bare)),
    },
    {
      name: 'memory (PSS) of the agent under POST /compute',
      unit: 'MB',
      rounds: each((r) => r.mainMb),
    },
    { name: 'memory (PSS) of its service', unit: 'MB', rounds: each((r) => r.serviceMb) },
    {
      name: 'GET of a control route, every core infers, p50',
      unit: 'ms',
      rounds: each(({ control }) => quantile(control, 0.5)),
    },
    {
      name: 'GET of a control route, every core infers, p99',
      unit: 'ms',
      rounds: each(({ control }) => quantile(control, 0.99)),
    },
  ]
}

const rate = ({ count, wallMs }: BareResult): number => (count * 1000) / wallMs

function describe(round: Round | undefined): string {
  if (!round) return ''
  const loads = [...round.loads].map(([count, one]) => `${count}: ${one.perSecond.toFixed(1)}/s`)
  return `bare ${rate(round.bare).toFixed(1)}/s; clients ${loads.join(', ')}; control p99 ${quantile(round.control, 0.99).toFixed(1)} ms`
}
