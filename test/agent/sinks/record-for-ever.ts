import { readFileSync } from 'node:fs'
import { VIDEO_CLOCK, type VideoFormat, type VideoPacket } from '../../../agent/core/video.ts'
import { mp4File } from '../../../agent/sinks/mp4-file.ts'
import { repeated } from './packet-harness.ts'

// Records the packets of a file at their pace, and says the time of each, until it is killed.
const [, , folder = '', given = ''] = process.argv
const { format, packets } = JSON.parse(readFileSync(given, 'utf8')) as {
  format: VideoFormat
  packets: (Omit<VideoPacket, 'data'> & { data: string })[]
}
const video = packets.map((packet) => ({ ...packet, data: Buffer.from(packet.data, 'base64') }))
const context = { mediaFolder: folder, minFreeBytes: 0, dropped: () => undefined }
const control = { wanted: () => undefined, key: () => undefined }
const sink = await mp4File({ url: `file://${folder}/a.mp4` }, context)('gate', format, control)
const began = performance.now()
for (const packet of repeated(video, 100)) {
  const due = began + (packet.pts * 1000) / VIDEO_CLOCK
  await new Promise((resolve) => setTimeout(resolve, due - performance.now()))
  await sink.write(packet)
  process.stdout.write(`${packet.pts}\n`)
}
