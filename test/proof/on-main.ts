import { Worker } from 'node:worker_threads'
import { loadConfig } from '../../agent/config.ts'
import { createLog } from '../../agent/log.ts'
import { startAgent } from '../../agent/main.ts'
import { nodeAvEngine } from '../../agent/media/node-av.ts'
import type { Launch, ProcessListener } from '../../agent/service/launch.ts'
import type { FromService, ToService } from '../../agent/service/messages.ts'
import { ServiceRuntime } from '../../agent/service/runtime.ts'

/**
 * The agent as it must not be built: decoding and inference in the main process, beside the broker.
 * The proof must fail on it: a crash, or a stop, of one service is one of everything.
 */
const inMain: Launch = (listener) => {
  let service: InMain | undefined
  return {
    pid: process.pid,
    queuedBytes: 0,
    send(message) {
      if (message.type === 'start') service = startInMain(message, listener)
      else if (message.type === 'stop') void service?.stop()
      else void service?.runtime.handle(message)
    },
    kill: (signal) => process.kill(process.pid, signal),
  }
}

interface InMain {
  readonly runtime: ServiceRuntime
  stop(): Promise<void>
}

function startInMain(
  start: Extract<ToService, { type: 'start' }>,
  listener: ProcessListener,
): InMain {
  // Never within the call that sent something: between processes it could not be.
  const post = (message: FromService) => void setImmediate(() => listener.message(message))
  const thread = new URL('../../dist/agent/service/inference-thread.js', import.meta.url)
  const runtime = new ServiceRuntime({
    start,
    engine: nodeAvEngine(),
    createThread: (index) => new Worker(thread, { execArgv: [], workerData: { thread: index } }),
    post,
    video: (stream, packet) => void setImmediate(() => listener.video(stream, packet)),
  })
  const timers = [
    setInterval(() => post({ type: 'beat', inferenceMs: runtime.inFlightMs() }), 300),
    setInterval(() => runtime.tick(), 1000),
  ]
  post({ type: 'ready' })
  return {
    runtime,
    async stop() {
      for (const timer of timers) clearInterval(timer)
      await runtime.stop()
      listener.exited(0, null, '')
    },
  }
}

const [file] = process.argv.slice(-1)
const config = await loadConfig({
  flags: [],
  env: process.env,
  cwd: process.cwd(),
  ...(file ? { file } : {}),
})
const log = createLog({ level: config.log.level, human: false })
const agent = await startAgent({ config, log, env: process.env, launch: inMain })
process.once('SIGTERM', () => void agent.stop().then(() => process.exit(0)))
