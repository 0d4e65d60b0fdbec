import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { Readable } from 'node:stream'
import type { FromService, ToService } from './messages.ts'
import { VIDEO_FD, type VideoListener, videoReader } from './video-pipe.ts'

/** A running service process, as the supervisor sees it. */
export interface ServiceProcess {
  readonly pid: number | undefined
  /** Never throws; what cannot be delivered any more is lost with the process. */
  send(message: ToService): void
  /** Bytes handed to the channel that it has not taken yet. */
  readonly queuedBytes: number
  kill(signal: NodeJS.Signals): void
}

/** What a process tells. `lastWords` is the end of what it wrote to standard error. */
export interface ProcessListener extends VideoListener {
  message(message: FromService): void
  exited(code: number | null, signal: NodeJS.Signals | null, lastWords: string): void
}

/** Starts one service process. */
export type Launch = (listener: ProcessListener) => ServiceProcess

const LAST_WORDS = 2000

/**
 * Larger blocks are mapped, and given back at once. A decoder is opened anew each time a video loops, and the
 * planes of its pictures (720p: 922 and 230 kB) would tear holes into a heap that others fill with what is small:
 * with 1 MB, a service that records video grew by 34 MB an hour.
 */
const MAPPED_BYTES = String(128 << 10)

/**
 * A hundred threads free what others allocated. What each would keep of it for itself, up to 200 kB, fills up for
 * hours; without, no cost in CPU could be measured.
 */
const NO_THREAD_CACHES = 'glibc.malloc.tcache_count=0'

/** What a service's Node is started with. Its heap is too small for several threads to be quicker at collecting garbage. */
export const serviceFlags: readonly string[] = [
  '--max-semi-space-size=2',
  '--single-threaded-gc',
  '--expose-gc',
]

/** The environment of a service: main's, with what threads and memory are to be like. */
export function serviceEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...env,
    UV_THREADPOOL_SIZE: env.UV_THREADPOOL_SIZE ?? '96',
    ORT_DISABLE_TELEMETRY: '1',
    MALLOC_ARENA_MAX: '2',
    MALLOC_TRIM_THRESHOLD_: MAPPED_BYTES,
    MALLOC_MMAP_THRESHOLD_: MAPPED_BYTES,
    GLIBC_TUNABLES: [env.GLIBC_TUNABLES, NO_THREAD_CACHES].filter(Boolean).join(':'),
  }
}

/**
 * Starts service processes at a lower priority than main, so that the control plane stays quick while
 * every core infers, and such that the kernel ends them with main (`setpriv --pdeathsig`), even when
 * they are stopped. Where `nice` or `setpriv` is missing, a thread of their own watches (see
 * `orphan-guard.ts`).
 *
 * @param entry the compiled `worker.js`
 * @param env the environment of main, to be passed on
 */
export function processLauncher(entry: URL, env: NodeJS.ProcessEnv): Launch {
  const prefix = commandPrefix()
  const guarded = prefix.includes('setpriv')
  const [execPath = process.execPath, ...execArgv] = [...prefix, process.execPath, ...serviceFlags]
  const childEnv = {
    ...serviceEnvironment(env),
    HELIOGRAPH_ORPHAN_GUARD: guarded ? '' : String(process.pid),
  }
  return (listener) => {
    const child = fork(entry, [], {
      serialization: 'advanced',
      execPath,
      execArgv,
      env: childEnv,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc', 'pipe'],
    })
    hearVideo(child, listener)
    let lastWords = ''
    let queuedBytes = 0
    child.stderr?.on('data', (text: Buffer) => {
      lastWords = (lastWords + text.toString()).slice(-LAST_WORDS)
    })
    child.on('message', (message: FromService) => listener.message(message))
    child.on('error', (error) => {
      lastWords += error.message
      if (child.pid === undefined) listener.exited(null, null, lastWords)
    })
    child.on('exit', (code, signal) => listener.exited(code, signal, lastWords.trim()))
    return {
      pid: child.pid,
      get queuedBytes() {
        return queuedBytes
      },
      send(message) {
        if (!child.connected) return
        const bytes = message.type === 'image' ? message.payload.byteLength : 0
        queuedBytes += bytes
        child.send(message, () => {
          queuedBytes -= bytes
        })
      },
      kill: (signal) => void child.kill(signal),
    }
  }
}

/** Of a process that is gone nothing more is taken: the next one uses its numbers again. */
function hearVideo(child: ChildProcess, listener: VideoListener): void {
  // Without file descriptors to start it with, a child has no pipes at all.
  const pipe = child.stdio?.[VIDEO_FD]
  if (!(pipe instanceof Readable)) return
  pipe.on('data', videoReader(listener))
  // The end of the process says what there is to say.
  pipe.on('error', () => undefined)
  child.on('exit', () => pipe.destroy())
}

/** `nice -n 10 setpriv --pdeathsig KILL`, as far as this machine has them. */
function commandPrefix(): string[] {
  const nice = ['nice', '-n', '10']
  const setpriv = ['setpriv', '--pdeathsig', 'KILL']
  const usable = (command: readonly string[]): boolean => {
    const [program = '', ...args] = command
    try {
      execFileSync(program, [...args, 'true'], { stdio: 'ignore', timeout: 2000 })
      return true
    } catch {
      return false
    }
  }
  return [...(usable(nice) ? nice : []), ...(usable(setpriv) ? setpriv : [])]
}
