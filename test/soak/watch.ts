import { setTimeout as passed } from 'node:timers/promises'
import { clipUrl } from '../../bench/material.ts'
import { pssMb } from '../../bench/proc.ts'
import { prepareSubject, type Subject } from '../../bench/subject.ts'
import { plainViewer, type Viewer } from '../../bench/viewers.ts'
import type { StreamStatus } from '../../schemas/state.ts'
import { floors, type Interval, type Sample, slopeInterval } from './slope.ts'

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
/** The least value of so long a time is what is left after the garbage was collected. */
const FLOOR_MS = 30_000
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
    subject.start()
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
  const began = performance.now()
  const end = began + minutes * 60_000
  const samples = { main: [] as Sample[], service: [] as Sample[] }
  const failures: string[] = []
  let visits = 0
  while (performance.now() < end) {
    const before = stay.map(({ pictures }) => pictures)
    const visitor = plainViewer(url, visits % 2 === 0 ? 'udp' : 'tcp')
    await passed(EVERY_MS)
    visits += 1
    if (visitor.pictures === 0) failures.push(`visitor ${visits} saw nothing in ${EVERY_MS} ms`)
    await visitor.close()
    if (stay.some(({ pictures }, index) => pictures === before[index]))
      failures.push(`a viewer who stayed saw nothing for ${EVERY_MS} ms (visit ${visits})`)
    const atMs = performance.now()
    const [service = 0] = await subject.servicePids()
    const now = { main: await pssMb(subject.main()), service: await pssMb(service) }
    if (atMs - began > WARM_UP_MS) {
      samples.main.push({ atMs, value: now.main })
      samples.service.push({ atMs, value: now.service })
    }
    say(`visit ${visits}: main ${now.main.toFixed(1)} MB, service ${now.service.toFixed(1)} MB`)
  }
  const missed = stay.reduce((sum, viewer) => sum + viewer.missed, 0)
  await Promise.all(stay.map((viewer) => viewer.close()))
  const [main, service] = [slopeOf(samples.main), slopeOf(samples.service)]
  for (const [name, { low }] of Object.entries({ main, service }))
    if (low > LIMIT_MB_PER_HOUR)
      failures.push(`${name} grows by at least ${low.toFixed(1)} MB an hour`)
  const lastMb = {
    main: samples.main.at(-1)?.value ?? 0,
    service: samples.service.at(-1)?.value ?? 0,
  }
  return { minutes, visits, main, service, lastMb, missed, failures }
}

function slopeOf(samples: readonly Sample[]): Interval {
  const [first, last] = [samples[0]?.atMs ?? 0, samples.at(-1)?.atMs ?? 0]
  return slopeInterval(floors(samples, Math.max(3, Math.floor((last - first) / FLOOR_MS))))
}
