import { Worker } from 'node:worker_threads'
import { createEngine } from '../media/registry.ts'
import { compileSoon } from './compile-soon.ts'
import { inferenceThread } from './inference-threads.ts'
import type { FromService, ToService } from './messages.ts'
import { ServiceRuntime } from './runtime.ts'
import { videoWriter } from './video-pipe.ts'

/** Entry of a service process: the thinnest shell around `ServiceRuntime`. */
const BEAT_MS = 300
const OUTPUT_COUNTERS_EVERY = 5

compileSoon()

let runtime: ServiceRuntime | undefined
let ticks = 0
let timers: NodeJS.Timeout[] = []

/** The channel closes when main is gone; then nobody is left to tell. */
function post(message: FromService): void {
  if (process.connected) process.send?.(message, undefined, undefined, (error) => error && stop())
}

function start(message: Extract<ToService, { type: 'start' }>): void {
  runtime = new ServiceRuntime({
    start: message,
    engine: createEngine(message.limits.media.engine),
    createThread: inferenceThread,
    post,
    video: videoWriter(stop),
  })
  const beat = (): void => post({ type: 'beat', inferenceMs: runtime?.inFlightMs() ?? 0 })
  const tick = (): void => {
    runtime?.tick()
    ticks += 1
    if (ticks % OUTPUT_COUNTERS_EVERY === 0) runtime?.tickOutputs()
  }
  timers = [setInterval(beat, BEAT_MS), setInterval(tick, 1000)]
  post({ type: 'ready' })
  beat()
}

let stopping = false

function stop(): void {
  if (stopping) return
  stopping = true
  for (const timer of timers) clearInterval(timer)
  const stopped = runtime?.stop() ?? Promise.resolve()
  stopped.then(
    () => process.exit(0),
    (error: unknown) => {
      // Its last words: main tells them on.
      process.stderr.write(error instanceof Error ? error.message : String(error))
      process.exit(1)
    },
  )
}

process.on('message', (message: ToService) => {
  if (message.type === 'start') start(message)
  else if (message.type === 'stop') stop()
  else void runtime?.handle(message)
})
process.on('disconnect', stop)
/** Ctrl-C reaches the whole process group; main decides when its services stop. */
process.on('SIGINT', () => {})
process.on('SIGTERM', stop)

const parent = Number(process.env.HELIOGRAPH_ORPHAN_GUARD)
if (parent > 0) {
  new Worker(new URL('./orphan-guard.js', import.meta.url), { workerData: { parent } }).unref()
}
