import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as passed } from 'node:timers/promises'
import { freePort } from '../test/proof/workspace.ts'
import type { Serving } from './bare-video-messages.ts'
import { drawingFilters } from './drawn.ts'
import type { Figure } from './figure.ts'
import { clipFile } from './material.ts'
import { cpuMsOf } from './proc.ts'

/** A clip of 30 pictures a second. */
interface Clip {
  readonly name: string
  readonly file: string
  readonly bitrate: number
  readonly size: { readonly width: number; readonly height: number }
}

/** Cores in use while the clip plays on both sides at once. */
interface Cores {
  readonly ours: number
  readonly ffmpeg: number
}

/** Either side started first once. */
interface Round {
  readonly oursFirst: Cores
  readonly ffmpegFirst: Cores
}

/** V8 compiles what runs thirty times a second for a minute and more. */
const warmUpSeconds = 60
/** Until a program that starts has settled. */
const settlingPictures = 60
const fps = 30
/** Until then the ffmpeg program listens. */
const LISTENING_MS = 500

/**
 * What it costs to decode, draw, encode and serve video to one viewer by RTSP over TCP, in real time and without
 * a detector, beside the ffmpeg program, which does the same: it pushes, with the same settings. Both play all the
 * time: the machine's clock drifts by more than what is to be measured, and so falls on both.
 */
export async function benchVideo(
  rounds: number,
  seconds: number,
  say: (text: string) => void,
): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'heliograph-bench-'))
  try {
    const figures: Figure[] = []
    for (const clip of clips(folder)) {
      figures.push(...figuresOf(clip, await roundsOf(clip, rounds, seconds, say)))
    }
    return figures
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function roundsOf(
  clip: Clip,
  rounds: number,
  seconds: number,
  say: (text: string) => void,
): Promise<Round[]> {
  const done: Round[] = []
  while (done.length < rounds) {
    const round = await roundOf(clip, seconds)
    done.push(round)
    say(`  ${clip.name} round ${done.length}: ${describe(round)}`)
  }
  return done
}

/** In either order: of two copies of one program, the one that was started second was often seen to take 2 or 3 % less. */
async function roundOf(clip: Clip, seconds: number): Promise<Round> {
  const [ours, ffmpegSecond] = await together(clip, [startOurs, startFfmpeg], seconds)
  const [ffmpeg, oursSecond] = await together(clip, [startFfmpeg, startOurs], seconds)
  return {
    oursFirst: { ours, ffmpeg: ffmpegSecond },
    ffmpegFirst: { ours: oursSecond, ffmpeg },
  }
}

/** Cores that each of two takes while both play; the second is started when the first plays. */
async function together(
  clip: Clip,
  [startFirst, startSecond]: readonly [StartSide, StartSide],
  seconds: number,
): Promise<[number, number]> {
  const first = await startFirst(clip)
  try {
    await first.player.reached(settlingPictures)
    const second = await startSecond(clip)
    try {
      await passed(warmUpSeconds * 1000)
      return await Promise.all([coresOf(first, seconds), coresOf(second, seconds)])
    } finally {
      await second.close()
    }
  } finally {
    await first.close()
  }
}

function clips(folder: string): Clip[] {
  const large = join(folder, '1080p.mp4')
  const scale = ['-vf', 'scale=1920:1080', '-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '6M']
  execFileSync('ffmpeg', ['-v', 'error', '-i', clipFile, '-an', ...scale, large])
  return [
    { name: '720p30', file: clipFile, bitrate: 4_000_000, size: { width: 1280, height: 720 } },
    { name: '1080p30', file: large, bitrate: 8_000_000, size: { width: 1920, height: 1080 } },
  ]
}

type StartSide = (clip: Clip) => Promise<Side>

/** One of the two, while it plays. */
interface Side {
  readonly pids: readonly number[]
  readonly player: Player
  close(): Promise<void>
}

/** The agent's own parts, which read, draw and encode while a player is there. */
async function startOurs({ file, bitrate }: Clip): Promise<Side> {
  const script = [resolve('bench/bare-video.ts'), file, String(bitrate)]
  const command = ['--import', import.meta.resolve('tsx'), ...script]
  const server = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface({ input: server.stdout }), 'line')
  const { url, pids } = JSON.parse(String(line)) as Serving
  const viewer = player(['-rtsp_transport', 'tcp', '-i', url, '-c', 'copy'])
  return {
    pids,
    player: viewer,
    async close() {
      await ended(viewer.child)
      for (const pid of pids) process.kill(pid, 'SIGKILL')
      await ended(server)
    },
  }
}

async function startFfmpeg({ file, bitrate, size }: Clip): Promise<Side> {
  const url = `rtsp://127.0.0.1:${await freePort()}/bench`
  const viewer = player(['-rtsp_flags', 'listen', '-i', url, '-c', 'copy'])
  await passed(LISTENING_MS)
  const encode = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-bf', '0']
  const rate = ['-b:v', bitrate, '-maxrate', bitrate * 1.5, '-bufsize', bitrate, '-g', 2 * fps]
  const input = ['-threads', '1', '-re', '-stream_loop', '-1', '-i', file]
  const output = [
    '-an',
    '-vf',
    drawingFilters(size).join(),
    ...encode,
    ...rate.map(String),
    '-threads',
    '1',
  ]
  const push = ['-f', 'rtsp', '-rtsp_transport', 'tcp', url]
  const program = spawn('ffmpeg', ['-v', 'error', '-nostdin', ...input, ...output, ...push], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return {
    pids: [program.pid ?? 0],
    player: viewer,
    async close() {
      await ended(program)
      await ended(viewer.child)
    },
  }
}

/** The ffmpeg program, and how many pictures it has put out so far. */
interface Player {
  readonly child: ChildProcess
  pictures(): number
  /** Resolves when there are so many. */
  reached(count: number): Promise<void>
}

function player(args: readonly string[]): Player {
  const report = ['-progress', 'pipe:1', '-stats_period', '0.1', '-f', 'null', '-']
  const child = spawn('ffmpeg', ['-v', 'error', '-nostdin', ...args, ...report], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let pictures = 0
  const exit = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => {
    const [, count] = /^frame=(\d+)/.exec(line) ?? []
    if (count) pictures = Number(count)
  })
  return {
    child,
    pictures: () => pictures,
    async reached(count) {
      while (pictures < count) {
        if (child.exitCode !== null) throw new Error(`ffmpeg ended with ${child.exitCode}`)
        await Promise.race([once(lines, 'line'), exit])
      }
    },
  }
}

/** Cores in use. Fails if not nearly every picture got to the player: then less was done than is claimed. */
async function coresOf({ pids, player }: Side, seconds: number): Promise<number> {
  const [pictures, cpu, began] = [player.pictures(), await cpuMsOf(pids), performance.now()]
  await passed(seconds * 1000)
  const cpuMs = (await cpuMsOf(pids)) - cpu
  const wallMs = performance.now() - began
  const rate = ((player.pictures() - pictures) * 1000) / wallMs
  if (rate < fps * 0.9) throw new Error(`only ${rate.toFixed(1)} pictures a second`)
  return cpuMs / wallMs
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function describe({ oursFirst, ffmpegFirst }: Round): string {
  return `${beside(oursFirst)}; ffmpeg started first: ${beside(ffmpegFirst)}`
}

function beside({ ours, ffmpeg }: Cores): string {
  return `${ours.toFixed(3)} cores, ffmpeg ${ffmpeg.toFixed(3)}`
}

function figuresOf({ name }: Clip, rounds: readonly Round[]): Figure[] {
  const means = rounds.map(({ oursFirst, ffmpegFirst }) => ({
    ours: (oursFirst.ours + ffmpegFirst.ours) / 2,
    ffmpeg: (oursFirst.ffmpeg + ffmpegFirst.ffmpeg) / 2,
  }))
  return [
    {
      name: `${name}: decode, draw, encode and serve ÷ ffmpeg`,
      unit: '',
      rounds: means.map(({ ours, ffmpeg }) => ours / ffmpeg),
      limit: { atMost: 1 },
    },
    { name: `${name}: ours`, unit: 'cores', rounds: means.map(({ ours }) => ours) },
    { name: `${name}: ffmpeg`, unit: 'cores', rounds: means.map(({ ffmpeg }) => ffmpeg) },
  ]
}
