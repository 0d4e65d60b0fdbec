import { setTimeout as passed } from 'node:timers/promises'
import { clipUrl } from '../../bench/material.ts'
import { anonymousMb } from '../../bench/proc.ts'
import { prepareSubject, type Subject } from '../../bench/subject.ts'
import { plainViewer, type Viewer } from '../../bench/viewers.ts'
import type { StreamStatus } from '../../schemas/state.ts'
import { inspect, inspectable } from './inspector.ts'
import { type Interval, type Sample, slopeInterval } from './slope.ts'

/** What came of watching video for a long time. */
export interface WatchOutcome {
  readonly minutes: number
  /** Viewers that came and went. */
  readonly visits: number
  /** MB per hour, with the 95 % confidence interval. */
  readonly main: Interval
  readonly service: Interval
  readonly lastMb: { readonly main: number; readonly service: number }
  /** Packets that the viewers who stayed missed. */
  readonly missed: number
  readonly failures: readonly string[]
}

/** Until then caches fill and code is compiled. */
const WARM_UP_MS = 120_000
const EVERY_MS = 5000
/** Garbage is collected, and memory read, at every so many visits. */
const VISITS_A_SAMPLE = 6
/** A picture that leaks, once a minute, would be four times this. */
const LIMIT_MB_PER_HOUR = 20

/**
 * One service whose annotated video is recorded, watched by two that stay (TCP and UDP) and others that come
 * and go, while the memory of both processes is read.
 */
export async function watchFor(
  minutes: number,
  say: (text: string) => void,
): Promise<WatchOutcome> {
  const clip = { url: clipUrl, fps: 10, loop: true } as const
  const tape = { url: 'file:soak-{time}.mp4', segmentS: 20, keep: 3 }
  const output = { video: { url: 'rtsp:' }, tape }
  const subject = await prepareSubject({ one: { input: { clip }, output } })
  try {
    subject.start(inspectable)
    await subject.until('one/detections/clip', () => true, 180_000)
    return await watchOn(subject, minutes, say)
  } finally {
    await subject.close()
  }
}

async function watchOn(
  subject: Subject,
  minutes: number,
  say: (text: string) => void,
): Promise<WatchOutcome> {
  const { url } = await subject.retained<StreamStatus>('one/stream/video/clip')
  const stay: Viewer[] = [plainViewer(url, 'tcp'), plainViewer(url, 'udp')]
  const memory = await memoryOf(subject)
  const began = performance.now()
  const failures: string[] = []
  let visits = 0
  while (performance.now() - began < minutes * 60_000) {
    visits += 1
    failures.push(...(await visit(url, visits, stay)))
    if (visits % VISITS_A_SAMPLE > 0 || performance.now() - began < WARM_UP_MS) continue
    say(`visit ${visits}: ${await memory.read()}`)
  }
  const missed = stay.reduce((sum, viewer) => sum + viewer.missed, 0)
  await Promise.all(stay.map((viewer) => viewer.close()))
  const { main, service, lastMb } = memory.result()
  for (const [name, { low }] of Object.entries({ main, service }))
    if (low > LIMIT_MB_PER_HOUR)
      failures.push(`${name} grows by at least ${low.toFixed(1)} MB an hour`)
  return { minutes, visits, main, service, lastMb, missed, failures }
}

/** One viewer comes and goes; what went wrong meanwhile. */
async function visit(url: string, number: number, stay: readonly Viewer[]): Promise<string[]> {
  const before = stay.map(({ pictures }) => pictures)
  const visitor = plainViewer(url, number % 2 === 0 ? 'udp' : 'tcp')
  await passed(EVERY_MS)
  const { pictures } = visitor
  await visitor.close()
  return [
    ...(pictures === 0 ? [`visitor ${number} saw nothing in ${EVERY_MS} ms`] : []),
    ...(stay.some((viewer, index) => viewer.pictures === before[index])
      ? [`a viewer who stayed saw nothing for ${EVERY_MS} ms (visit ${number})`]
      : []),
  ]
}

/** What both processes hold, over time. They must not be replaced meanwhile. */
async function memoryOf(subject: Subject) {
  const [service = 0] = await subject.servicePids()
  const processes = { main: subject.main(), service }
  const [main, own] = await Promise.all([inspect(processes.main), inspect(service)])
  const samples = { main: [] as Sample[], service: [] as Sample[] }
  const last = (of: readonly Sample[]) => of.at(-1)?.value ?? 0
  return {
    async read(): Promise<string> {
      await Promise.all([main.collectGarbage(), own.collectGarbage()])
      for (const name of ['main', 'service'] as const)
        samples[name].push({ atMs: performance.now(), value: await anonymousMb(processes[name]) })
      return `main ${last(samples.main).toFixed(1)} MB, service ${last(samples.service).toFixed(1)} MB`
    },
    result() {
      main.close()
      own.close()
      return {
        main: slopeInterval(samples.main),
        service: slopeInterval(samples.service),
        lastMb: { main: last(samples.main), service: last(samples.service) },
      }
    },
  }
}
