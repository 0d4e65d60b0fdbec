import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as passed } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Result } from '../schemas/results.ts'
import type { StreamStatus } from '../schemas/state.ts'
import { type Figure, quantile } from './figure.ts'
import { writeNumberedClip } from './numbered-clip.ts'
import { roundTrips } from './round-trip.ts'
import { prepareSubject, type Subject } from './subject.ts'
import { plainViewer, readingViewer, type Viewer } from './viewers.ts'

const CLIP = { width: 1920, height: 1080, fps: 30, frames: 300 }
const VIEWERS = 8
/** Pictures that are inferred, per second: every one is shown. */
const INFERRED = 5

/**
 * Eight viewers of 1080p30, half by TCP and half by UDP, one of which decodes: how late events and pictures
 * come, what is lost, and how quick the control plane stays.
 */
export async function benchStreams(
  rounds: number,
  requests: number,
  say: (text: string) => void,
): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'heliograph-clip-'))
  const file = join(folder, 'numbered.mp4')
  await writeNumberedClip(file, CLIP)
  const clip = {
    url: pathToFileURL(file).href,
    fps: INFERRED,
    pace: 'realtime',
    loop: true,
  } as const
  const subject = await prepareSubject(
    { one: { input: { clip }, output: { video: { url: 'rtsp:', overlay: 'latest' } } } },
    'edge/1/#',
    [folder],
  )
  try {
    subject.start()
    await subject.controller.connected(60_000)
    await subject.until('one/detections/clip', () => true)
    const done: Round[] = []
    for (let round = 0; round < rounds; round++) {
      done.push(await oneRound(subject, requests))
      say(`  round ${round + 1}: ${describe(done.at(-1))}`)
    }
    return figuresOf(done)
  } finally {
    await subject.close()
    await rm(folder, { recursive: true, force: true })
  }
}

interface Round {
  readonly controlMs: readonly number[]
  readonly eventMs: readonly number[]
  readonly pictureMs: readonly number[]
  readonly missed: number
  /** Pictures that a viewer got, per second; the least of all. */
  readonly slowest: number
}

async function oneRound(subject: Subject, requests: number): Promise<Round> {
  const { url } = await subject.retained<StreamStatus>('one/stream/video/clip')
  const eventMs: number[] = []
  const pictureMs: number[] = []
  const pictures = matcher((readAt, shownAt) => pictureMs.push(shownAt - readAt))
  const stop = subject.controller.watch((topic, payload) => {
    if (topic !== subject.topic('one/detections/clip')) return
    const { pts = 0, capturedAt } = JSON.parse(payload.toString()) as Result
    pictures.read(Math.round(pts * CLIP.fps) % CLIP.frames, capturedAt)
    eventMs.push(Date.now() - capturedAt)
  })
  const reader = readingViewer(url, 'tcp', (number) => pictures.shown(number, Date.now()))
  const others = Array.from({ length: VIEWERS - 1 }, (_, index) =>
    plainViewer(url, index % 2 === 0 ? 'udp' : 'tcp'),
  )
  const viewers: Viewer[] = [reader, ...others]
  while (viewers.some(({ pictures }) => pictures === 0)) await passed(100)
  await passed(2000)
  eventMs.length = 0
  pictureMs.length = 0
  const [began, before] = [performance.now(), viewers.map(({ pictures }) => pictures)]
  const controlMs = await roundTrips(subject, requests)
  const seconds = (performance.now() - began) / 1000
  const rates = viewers.map(({ pictures }, index) => (pictures - (before[index] ?? 0)) / seconds)
  const missed = viewers.reduce((sum, viewer) => sum + viewer.missed, 0)
  stop()
  await Promise.all(viewers.map((viewer) => viewer.close()))
  return { controlMs, eventMs, pictureMs, missed, slowest: Math.min(...rates) }
}

/** Pairs when a picture was read with when it was shown, whichever is known first. A clip repeats its numbers. */
function matcher(paired: (readAt: number, shownAt: number) => void) {
  const half = (CLIP.frames * 500) / CLIP.fps
  const [read, shown] = [new Map<number, number>(), new Map<number, number>()]
  const note = (
    mine: Map<number, number>,
    other: Map<number, number>,
    number: number,
    at: number,
  ) => {
    mine.set(number, at)
    const [from, to] = [read.get(number), shown.get(number)]
    if (from === undefined || to === undefined || Math.abs(to - from) > half) return
    mine.delete(number)
    other.delete(number)
    paired(from, to)
  }
  return {
    read: (number: number, at: number) => note(read, shown, number, at),
    shown: (number: number, at: number) => note(shown, read, number, at),
  }
}

function figuresOf(rounds: readonly Round[]): Figure[] {
  const each = (of: (round: Round) => number) => rounds.map(of)
  const times = (name: string, of: (round: Round) => readonly number[]): Figure[] =>
    [0.5, 0.99].map((share) => ({
      name: `${name}, p${share * 100}`,
      unit: 'ms',
      rounds: each((round) => quantile(of(round), share)),
    }))
  return [
    ...times('control round trip, 8 viewers of 1080p', ({ controlMs }) => controlMs),
    ...times('picture read to event at a subscriber', ({ eventMs }) => eventMs),
    ...times('picture read to picture decoded by an RTSP viewer', ({ pictureMs }) => pictureMs),
    { name: 'packets that 8 viewers missed', unit: '', rounds: each(({ missed }) => missed) },
    {
      name: 'pictures per second at the slowest of 8 viewers',
      unit: '',
      rounds: each(({ slowest }) => slowest),
    },
  ]
}

function describe(round: Round | undefined): string {
  if (!round) return ''
  const { controlMs, eventMs, pictureMs, missed, slowest } = round
  const p99 = (times: readonly number[]) => `${quantile(times, 0.99).toFixed(1)} ms`
  return `p99: control ${p99(controlMs)}, event ${p99(eventMs)}, picture ${p99(pictureMs)}; ${missed} packets missed; ${slowest.toFixed(1)} pictures/s at the slowest viewer`
}
