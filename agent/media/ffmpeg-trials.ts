import { Readable } from 'node:stream'
import { VIDEO_CLOCK, type VideoPacket } from '../core/video.ts'
import { parameterSets } from '../mux/h264.ts'
import { softwareDecoder } from './codecs.ts'
import type { EncodeOptions } from './engine.ts'
import { decoderKind, everyPicture } from './ffmpeg-decoding.ts'
import { FfmpegEncoder } from './ffmpeg-encoder.ts'
import type { FfmpegProgram } from './ffmpeg-program.ts'
import { encoderKind, softwareEncoder } from './node-av-encoders.ts'
import { picturePool } from './picture-pool.ts'
import { pictureQueue } from './picture-queue.ts'

/** Not a multiple of 16, in which hardware thinks; above what any hardware refuses as too small. */
const trial: Omit<EncodeOptions, 'encoder'> = {
  codec: 'h264',
  width: 640,
  height: 360,
  fps: 30,
  bitrate: 2_000_000,
  keyIntervalS: 10,
}
/** Luma of each picture: plain grey. */
const greys = [60, 120, 180, 90]
/** The picture that is asked to be a key one. */
const secondKey = 2
const tolerance = 6
const decodeMs = 10_000

/** Whether an encoder gives packets that show the pictures; never rejects. */
export async function encoderWorks(program: FfmpegProgram, name: string): Promise<boolean> {
  try {
    const packets = await encoded(program, name)
    return inOrder(packets) && (await shows(program, packets, softwareDecoder))
  } catch {
    return false
  }
}

/** Whether a decoder gives back the pictures that were encoded; never rejects. */
export async function decoderWorks(program: FfmpegProgram, name: string): Promise<boolean> {
  try {
    return await shows(program, await encoded(program, softwareEncoder), name)
  } catch {
    return false
  }
}

async function encoded(program: FfmpegProgram, name: string): Promise<VideoPacket[]> {
  const kind = encoderKind(name)
  if (!kind) return []
  const encoder = await FfmpegEncoder.open(program, kind, { ...trial, encoder: name })
  try {
    const packets: VideoPacket[] = []
    for (const [index, grey] of greys.entries()) {
      encoder.picture.y.fill(grey)
      const pts = (index * VIDEO_CLOCK) / trial.fps
      packets.push(...(await encoder.encode(pts, index === secondKey)))
    }
    return packets
  } finally {
    await encoder.close()
  }
}

/** A packet for each picture, key ones where they must be, which carry parameter sets. */
function inOrder(packets: readonly VideoPacket[]): boolean {
  const fits = ({ key, data }: VideoPacket, index: number) =>
    key ? parameterSets(data) !== undefined : index !== 0 && index !== secondKey
  return packets.length === greys.length && packets.every(fits)
}

async function shows(
  program: FfmpegProgram,
  packets: readonly VideoPacket[],
  decoder: string,
): Promise<boolean> {
  const { options, filters } = decoderKind(decoder, 'h264')
  const pool = picturePool(trial.width, trial.height)
  const queue = pictureQueue(pool)
  const run = program.run({
    inputOptions: [...options, '-protocol_whitelist', 'pipe', '-f', 'h264'],
    input: Readable.from(packets.map(({ data }) => data)),
    outputOptions: [
      ...['-vf', [...filters, 'format=yuv420p'].join(','), ...everyPicture(program.version)],
      ...['-c:v', 'rawvideo', '-f', 'nut'],
    ],
    output: queue.stream,
  })
  void run.ended.then(() => queue.end())
  const tooLong = setTimeout(() => run.kill(), decodeMs)
  const seen: number[] = []
  for (let next = await queue.next(); next; next = await queue.next()) {
    seen.push(meanOf(next.picture.planes.y))
    pool.giveBack(next.picture)
  }
  clearTimeout(tooLong)
  return (
    seen.length === greys.length &&
    seen.every((mean, index) => Math.abs(mean - (greys[index] ?? 0)) <= tolerance)
  )
}

function meanOf(plane: Uint8Array): number {
  return plane.reduce((sum, value) => sum + value, 0) / plane.length
}
