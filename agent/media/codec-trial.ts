import type { Yuv420 } from '../core/stages.ts'
import { VIDEO_CLOCK, type VideoPacket } from '../core/video.ts'
import { parameterSets } from '../mux/h264.ts'
import { softwareDecoder } from './codecs.ts'
import type { EncodeOptions, VideoEncoder } from './engine.ts'
import { softwareEncoder } from './node-av-encoders.ts'

/** What is tried out: the codecs of one engine. Both may reject, which says that they do not work. */
export interface TriedEngine {
  encode(options: EncodeOptions): Promise<VideoEncoder>
  /** Gives every picture of the packets to `take`, in order. */
  decode(
    packets: readonly VideoPacket[],
    decoder: string,
    take: (picture: Yuv420) => void,
  ): Promise<void>
}

/** Not a multiple of 16, in which hardware thinks; above what any hardware refuses as too small. */
export const trial: Omit<EncodeOptions, 'encoder'> = {
  codec: 'h264',
  width: 640,
  height: 360,
  fps: 30,
  bitrate: 2_000_000,
  keyIntervalS: 10,
}
const pictures = 4
/** The picture that is asked to be a key one. */
const secondKey = 2
/** Mean difference of luma that compression may make; the pictures differ by more than that. */
const tolerance = 6

/** Whether an encoder gives packets that show the pictures; never rejects. */
export async function encoderWorks(engine: TriedEngine, name: string): Promise<boolean> {
  try {
    const packets = await encoded(engine, name)
    return inOrder(packets) && (await shows(engine, packets, softwareDecoder))
  } catch {
    return false
  }
}

/** Whether a decoder gives back the pictures that were encoded; never rejects. */
export async function decoderWorks(engine: TriedEngine, name: string): Promise<boolean> {
  try {
    return await shows(engine, await encoded(engine, softwareEncoder), name)
  } catch {
    return false
  }
}

async function encoded(engine: TriedEngine, name: string): Promise<VideoPacket[]> {
  const encoder = await engine.encode({ ...trial, encoder: name })
  try {
    const packets: VideoPacket[] = []
    for (let index = 0; index < pictures; index++) {
      paint(encoder.picture, index)
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
  return packets.length === pictures && packets.every(fits)
}

async function shows(
  engine: TriedEngine,
  packets: readonly VideoPacket[],
  decoder: string,
): Promise<boolean> {
  const seen: number[] = []
  await engine.decode(packets, decoder, (picture) => seen.push(errorOf(picture, seen.length)))
  return seen.length === pictures && seen.every((error) => error <= tolerance)
}

/** A slope of grey whose steepness says which picture it is. */
function lumaAt(x: number, index: number): number {
  return 30 + ((x * (index + 1)) >> 4)
}

function paint({ width, height, y, yStride }: Yuv420, index: number): void {
  const row = Uint8Array.from({ length: width }, (_, x) => lumaAt(x, index))
  for (let line = 0; line < height; line++) y.set(row, line * yStride)
}

/** Mean difference from the picture `index`. */
function errorOf({ width, height, y, yStride }: Yuv420, index: number): number {
  if (width !== trial.width || height !== trial.height) return Number.POSITIVE_INFINITY
  let sum = 0
  for (let line = 0; line < height; line++) {
    for (let x = 0; x < width; x++) sum += Math.abs((y[line * yStride + x] ?? 0) - lumaAt(x, index))
  }
  return sum / (width * height)
}
