import { setTimeout as passed } from 'node:timers/promises'
import { type Figure, median } from './figure.ts'
import { clipUrl } from './material.ts'
import { pssMb } from './proc.ts'
import { prepareSubject } from './subject.ts'

const SERVICES = ['s1', 's2', 's3', 's4']

/** Proportional memory of the agent alone, and of each of four services that run without a pause. */
export async function benchMemory(
  rounds: number,
  seconds: number,
  say: (text: string) => void,
): Promise<Figure[]> {
  const input = { clip: { url: clipUrl, pace: 'fast', loop: true } } as const
  const services = Object.fromEntries(
    SERVICES.map((name) => [name, { input, compute: 'stop' } as const]),
  )
  const subject = await prepareSubject(services)
  try {
    const figures = { idle: [] as number[], main: [] as number[], service: [] as number[] }
    subject.start()
    await subject.controller.connected(60_000)
    await passed(seconds * 1000)
    figures.idle.push(await pssMb(subject.main()))
    const seen = SERVICES.map((name) => subject.until(`${name}/detections/clip`, () => true))
    for (const name of SERVICES) subject.command(`${name}/compute`, { action: 'start' })
    await Promise.all(seen)
    for (let round = 0; round < rounds; round++) {
      await passed(seconds * 1000)
      const pids = await subject.servicePids()
      if (pids.length !== SERVICES.length) throw new Error(`${pids.length} service processes`)
      const each = await Promise.all(pids.map(pssMb))
      figures.main.push(await pssMb(subject.main()))
      figures.service.push(Math.max(...each))
      say(`  round ${round + 1}: services ${each.map((mb) => mb.toFixed(0)).join(', ')} MB`)
    }
    return [
      {
        name: 'memory (PSS) of the idle agent',
        unit: 'MB',
        rounds: figures.idle,
        limit: { atMost: 90 },
      },
      {
        name: 'memory (PSS) of the agent while four services run',
        unit: 'MB',
        rounds: figures.main,
      },
      {
        name: 'memory (PSS) of the largest of four services',
        unit: 'MB',
        rounds: figures.service,
        limit: { atMost: 150 },
      },
    ]
  } finally {
    await subject.close()
  }
}

/** From the start of the built agent, its model cached, to the first detection at a subscriber. */
export async function benchStart(rounds: number, say: (text: string) => void): Promise<Figure[]> {
  const times: number[] = []
  const subject = await prepareSubject({ one: { input: { clip: { url: clipUrl, loop: true } } } })
  try {
    // The first start may have to fetch the model; it is not counted.
    for (let round = 0; round <= rounds; round++) {
      const began = performance.now()
      const agent = subject.start()
      await subject.until('one/detections/clip', () => true, 180_000)
      if (round > 0) times.push(performance.now() - began)
      await agent.end('SIGTERM')
    }
    say(`  ${times.map((ms) => ms.toFixed(0)).join(', ')} ms (median ${median(times).toFixed(0)})`)
    return [
      {
        name: 'start to first detection',
        unit: 's',
        rounds: times.map((ms) => ms / 1000),
        limit: { atMost: 3 },
      },
    ]
  } finally {
    await subject.close()
  }
}
