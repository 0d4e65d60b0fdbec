import { EventEmitter, once } from 'node:events'
import { pathToFileURL } from 'node:url'
import type { PictureSample, SourceInfo } from '../agent/core/stages.ts'
import type { VideoTrack } from '../agent/sinks/video-track.ts'
import type { FromDrawing, ToDrawing } from './bare-video-messages.ts'
import { drawnItems } from './drawn.ts'
import { built } from './material.ts'

const [, , clip = '', bitrate = '4000000'] = process.argv
const { compileSoon } = (await built(
  'service/compile-soon.js',
)) as typeof import('../agent/service/compile-soon.ts')
compileSoon()
const { createEngine } = (await built(
  'media/registry.js',
)) as typeof import('../agent/media/registry.ts')
const { VideoTrack: Track } = (await built(
  'sinks/video-track.js',
)) as typeof import('../agent/sinks/video-track.ts')
const { videoWriter } = (await built(
  'service/video-pipe.js',
)) as typeof import('../agent/service/video-pipe.ts')
const { createSource } = (await built(
  'sources/registry.js',
)) as typeof import('../agent/sources/registry.ts')
const { loadConfig } = (await built('config.js')) as typeof import('../agent/config.ts')
const { serviceLimits } = (await built(
  'service-limits.js',
)) as typeof import('../agent/service-limits.ts')

const config = await loadConfig({ flags: [], env: process.env, cwd: process.cwd() })
const engine = createEngine('auto')
const source = createSource(
  { url: pathToFileURL(clip).href, loop: true },
  {
    limits: serviceLimits(config, { ownPorts: [], faults: false }),
    engine,
    images: { subscribe: () => () => undefined },
    unrestricted: true,
    defaultPace: 'realtime',
  },
)
const video = videoWriter(() => process.exit(1))
let track: VideoTrack | undefined
/** Reading goes on while somebody watches. */
let watched = false
const watching = new EventEmitter()

function send(message: FromDrawing): void {
  process.send?.(message, undefined, undefined, () => undefined)
}

function opened({ width = 0, height = 0, fps = 30 }: SourceInfo): void {
  const format = { codec: 'h264', width, height, fps } as const
  track ??= new Track({
    ...{ engine, format, encoder: 'auto', bitrate: Number(bitrate), age: false, waiting: 3 },
    opened: Promise.resolve(),
    take: async (packet) => video(0, packet),
  })
  send({ type: 'open', format })
}

process.on('message', (message: ToDrawing) => {
  if (message.type === 'key') {
    track?.key()
    return
  }
  track?.want(message.on)
  watched = message.on
  watching.emit('changed')
})

async function show({ frame, capturedAt, pts }: PictureSample): Promise<void> {
  const items = drawnItems(frame)
  await track?.show({ frame, capturedAt, pts, found: { items, kind: 'detections', capturedAt } })
}

const events = { opened, skipped: () => undefined, dropped: () => undefined }
for await (const sample of source.samples(new AbortController().signal, events)) {
  // As in the agent, where reading goes on while a picture is encoded.
  void show(sample)
  sample.frame.release()
  while (!watched) await once(watching, 'changed')
}
