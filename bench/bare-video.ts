import { fork } from 'node:child_process'
import { resolve } from 'node:path'
import type { FromDrawing, Serving, ToDrawing } from './bare-video-messages.ts'
import { built } from './material.ts'

/**
 * The agent's video path without a detector: a process that decodes, draws and encodes (the first argument
 * is its clip), and this one, which serves. Prints where, and goes on until it is killed.
 */
const { startRtspServer } = (await built(
  'rtsp/server.js',
)) as typeof import('../agent/rtsp/server.ts')
const { serviceEnvironment, serviceFlags } = (await built(
  'service/launch.js',
)) as typeof import('../agent/service/launch.ts')
const { VIDEO_FD, videoReader } = (await built(
  'service/video-pipe.js',
)) as typeof import('../agent/service/video-pipe.ts')
const { compileSoon } = (await built(
  'service/compile-soon.js',
)) as typeof import('../agent/service/compile-soon.ts')
compileSoon()
const quiet = () => undefined
const log = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet }
const config = { host: '127.0.0.1', port: 0, users: [], clients: 8, queueBytes: 4 << 20 }
const server = await startRtspServer({ config, log })

const drawing = fork(resolve('bench/bare-video-drawing.ts'), process.argv.slice(2), {
  serialization: 'advanced',
  execArgv: ['--import', import.meta.resolve('tsx'), ...serviceFlags],
  env: serviceEnvironment(process.env),
  stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
})
drawing.on('exit', () => process.exit(1))
let stream: ReturnType<typeof server.offer> | undefined

function tell(message: ToDrawing): void {
  drawing.send(message, () => undefined)
}

drawing.stdio[VIDEO_FD]?.on(
  'data',
  videoReader({ video: (_, packet) => stream?.write(packet), broken: () => process.exit(1) }),
)
drawing.on('message', (message: FromDrawing) => {
  stream = server.offer({
    path: '/bench/video/clip',
    format: message.format,
    wanted: (on) => tell({ type: 'wanted', on }),
    key: () => tell({ type: 'key' }),
    viewersChanged: quiet,
  })
  const serving: Serving = {
    url: `rtsp://127.0.0.1:${server.port}/bench/video/clip`,
    pids: [process.pid, drawing.pid ?? 0],
  }
  process.stdout.write(`${JSON.stringify(serving)}\n`)
})
