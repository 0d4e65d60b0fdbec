import { execFile, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { promisify } from 'node:util'
import type { FfmpegCommand } from 'fluent-ffmpeg'
import { AgentError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'

/** What the programs are called, or where they are. */
export interface ProgramPaths {
  readonly ffmpeg: string
  readonly ffprobe: string
}

/** One run of ffmpeg: options ahead of its input (standard input) and ahead of its output. */
export interface ProgramPlan {
  readonly inputOptions: readonly string[]
  readonly input: Readable
  readonly outputOptions: readonly string[]
  /** A stream that takes standard output, or an address. */
  readonly output: Writable | string
  /** Takes each line that ffmpeg complains with, without credentials. */
  complaint?(line: string): void
  /** Called once the output is open, which for an address means connected. */
  opened?(): void
}

/** How a run ended. */
export interface ProgramEnd {
  /** Why it failed, in ffmpeg's own last words, without credentials; nothing where it did not. */
  readonly problem?: string
  /** Whether it died, rather than gave up. */
  readonly crashed?: boolean
}

/** A run that goes on by itself. It ends with its input, and so with this process. */
export interface ProgramRun {
  /** Never rejects. The process is gone by then, and all it gave is taken. */
  readonly ended: Promise<ProgramEnd>
  /** Ends it at once. */
  kill(): void
}

/** The ffmpeg and ffprobe that are installed here. */
export interface FfmpegProgram {
  /** Of ffmpeg: 5.1 is `[5, 1]`; that of a build without a number counts as newest. */
  readonly version: readonly [number, number]
  run(plan: ProgramPlan): ProgramRun
  /** What ffprobe says of `input`; `signal` ends it. Rejects with its complaints as the message. */
  probe(
    input: Readable,
    options: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly ProbedStream[]>
}

/** What ffprobe says of one stream, under its names. */
export interface ProbedStream {
  readonly index: number
  readonly codec_type?: string
  readonly codec_name?: string
  readonly pix_fmt?: string
  readonly width?: number
  readonly height?: number
  readonly avg_frame_rate?: string
  readonly r_frame_rate?: string
  readonly color_space?: string
  readonly color_range?: string
  readonly disposition?: { readonly attached_pic?: number }
  /** `rotation` is in degrees. */
  readonly side_data_list?: readonly { readonly rotation?: number }[]
}

const onPath: ProgramPaths = { ffmpeg: 'ffmpeg', ffprobe: 'ffprobe' }
const answerMs = 10_000

/** Finds the programs. @throws AgentError BACKEND_UNAVAILABLE when they are not installed */
export async function loadFfmpeg(paths: ProgramPaths = onPath): Promise<FfmpegProgram> {
  const [version] = await Promise.all([versionOf(paths.ffmpeg), versionOf(paths.ffprobe)])
  const { default: fluent } = await import('fluent-ffmpeg')
  return {
    version,
    run(plan) {
      const command = trusting(fluent(plan.input))
      command.setFfmpegPath(paths.ffmpeg)
      return startRun(command, plan)
    },
    probe: (input, options, signal) => startProbe(paths.ffprobe, input, options, signal),
  }
}

/** fluent-ffmpeg runs ffprobe too, but gives no way to end it. */
function startProbe(
  path: string,
  input: Readable,
  options: readonly string[],
  signal: AbortSignal,
): Promise<readonly ProbedStream[]> {
  const args = ['-v', 'error', ...options, '-show_streams', '-of', 'json', '-i', 'pipe:0']
  const child = spawn(path, args, { signal, killSignal: 'SIGKILL' })
  let output = ''
  let complaints = ''
  child.stdout.on('data', (text: Buffer) => {
    output += text
  })
  child.stderr.on('data', (text: Buffer) => {
    complaints = (complaints + text).slice(-maxComplaints)
  })
  // It stops reading as soon as it knows enough.
  child.stdin.on('error', () => undefined)
  input.pipe(child.stdin)
  return new Promise((resolve, reject) => {
    let failure: Error | undefined
    child.once('error', (error) => {
      failure = error
      if (child.pid === undefined) reject(error)
    })
    child.once('close', (code) => {
      input.destroy()
      if (failure) reject(failure)
      else if (code === 0) resolve(JSON.parse(output).streams ?? [])
      else reject(new Error(complaints))
    })
  })
}

const maxComplaints = 10_000

async function versionOf(path: string): Promise<[number, number]> {
  try {
    const { stdout } = await promisify(execFile)(path, ['-version'], { timeout: answerMs })
    const [, major, minor] = /version n?(\d+)\.(\d+)/.exec(stdout) ?? []
    return major ? [Number(major), Number(minor)] : [Number.POSITIVE_INFINITY, 0]
  } catch (error) {
    throw new AgentError(
      'BACKEND_UNAVAILABLE',
      `cannot run '${path}': install ffmpeg, with ffprobe (Debian and Alpine: the package ffmpeg)`,
      { cause: error },
    )
  }
}

type Answer = (error: null, list: object) => void

/**
 * fluent-ffmpeg asks ffmpeg for lists of formats and encoders before each first run, and does not
 * understand those of newer versions. What is missing shows when it is used.
 */
function trusting(command: FfmpegCommand): FfmpegCommand {
  const any = <Value extends object>(value: Value): Record<string, Value> =>
    new Proxy({}, { has: () => true, get: () => value })
  const format = { description: '', canDemux: true, canMux: true }
  return Object.assign(command, {
    availableFormats: (done: Answer) => done(null, any(format)),
    availableEncoders: (done: Answer) => done(null, {}),
  })
}

function startRun(command: FfmpegCommand, plan: ProgramPlan): ProgramRun {
  let started = false
  let killed = false
  let problem: string | undefined
  const ended = new Promise<ProgramEnd>((resolve) => {
    command
      .inputOptions([...globalOptions(plan), ...plan.inputOptions])
      .outputOptions([...plan.outputOptions])
      .on('start', () => {
        started = true
        if (killed) command.kill('SIGKILL')
      })
      .on('stderr', (text: string) => {
        if (text.includes('[info] Output #0')) plan.opened?.()
        const line = complaintIn(text)
        if (!line) return
        if (!problem || !sequel.test(line)) problem = line
        plan.complaint?.(line)
      })
      .on('end', () => resolve({}))
      .on('error', ({ message }: Error) => {
        const crashed = message.includes('killed with signal')
        resolve({ problem: (crashed ? undefined : problem) ?? redact(message), crashed })
      })
    if (typeof plan.output === 'string') command.output(plan.output).run()
    else command.pipe(plan.output, { end: true })
  }).then(async (end) => {
    // The process is gone, but what it wrote last may still be on its way.
    if (started && typeof plan.output !== 'string') await allTaken(plan.output)
    return end
  })
  return {
    ended,
    kill() {
      killed = true
      if (started) command.kill('SIGKILL')
    },
  }
}

async function allTaken(output: Writable): Promise<void> {
  // Whoever reads the output gets its error; here only its end counts.
  await finished(output).catch(() => undefined)
}

/** Each line with its level, and none left out because the last one was the same. */
function globalOptions({ opened }: ProgramPlan): string[] {
  const level = opened ? 'info' : 'error'
  return ['-hide_banner', '-nostats', '-loglevel', `repeat+level+${level}`]
}

/** Lines that only say that ffmpeg gives up, after one that said why. */
const sequel =
  /^(Error initializing|Error while opening|Conversion failed|Task finished|Terminating)/

/** `[rtsp @ 0x55d0] [error] Connection refused` without its marks, if it is a complaint. */
function complaintIn(text: string): string | undefined {
  const [, line = ''] = /\[(?:error|fatal|panic)\] (.*)/.exec(text) ?? []
  return redact(line.trim()) || undefined
}
