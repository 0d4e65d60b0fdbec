import type { Frame as AvFrame } from 'node-av/lib'
import type { Yuv420 } from '../core/stages.ts'
import { VIDEO_CLOCK, type VideoPacket } from '../core/video.ts'
import { parameterSets } from '../mux/h264.ts'
import { softwareDecoder } from './codecs.ts'
import type { EncodeOptions } from './engine.ts'
import { pixelConverter } from './node-av-convert.ts'
import { decodingBy } from './node-av-decoding.ts'
import { NodeAvEncoder } from './node-av-encoder.ts'
import { encoderKind, softwareEncoder } from './node-av-encoders.ts'
import type { NodeAv } from './node-av-library.ts'
import { yuvView } from './node-av-planes.ts'

/** Not a multiple of 16, in which hardware thinks; above what any hardware refuses as too small. */
const trial: Omit<EncodeOptions, 'encoder'> = {
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
export async function encoderWorks(av: NodeAv, name: string): Promise<boolean> {
  try {
    const packets = await encoded(av, name)
    return inOrder(packets) && (await shows(av, packets, softwareDecoder))
  } catch {
    return false
  }
}

/** Whether a decoder gives back the pictures that were encoded; never rejects. */
export async function decoderWorks(av: NodeAv, name: string): Promise<boolean> {
  try {
    return await shows(av, await encoded(av, softwareEncoder), name)
  } catch {
    return false
  }
}

async function encoded(av: NodeAv, name: string): Promise<VideoPacket[]> {
  const kind = encoderKind(name)
  if (!kind) return []
  const encoder = await NodeAvEncoder.open(av, kind, { ...trial, encoder: name })
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
  av: NodeAv,
  packets: readonly VideoPacket[],
  decoder: string,
): Promise<boolean> {
  const seen: number[] = []
  await decode(av, packets, decoder, (picture) => seen.push(errorOf(picture, seen.length)))
  return seen.length === pictures && seen.every((error) => error <= tolerance)
}

async function decode(
  av: NodeAv,
  packets: readonly VideoPacket[],
  name: string,
  take: (picture: Yuv420) => void,
): Promise<void> {
  const software = av.Codec.findDecoder(av.constants.AV_CODEC_ID_H264)
  if (!software) return
  const { decoder, context, download } = decodingBy(av, software, { name, strict: true })
  const packet = new av.Packet()
  packet.alloc()
  try {
    context.pktTimebase = new av.Rational(1, VIDEO_CLOCK)
    context.threadCount = 1
    if ((await context.open2(decoder)) < 0) return
    for (const { data, pts, key } of packets) {
      packet.data = Buffer.from(data)
      packet.pts = BigInt(pts)
      packet.dts = BigInt(pts)
      packet.isKeyframe = key
      if ((await context.sendPacket(packet)) < 0) return
      await takePictures()
    }
    await context.sendPacket(null)
    await takePictures()
  } finally {
    packet.free()
    context.freeContext()
    download.close()
  }

  async function takePictures(): Promise<void> {
    for (;;) {
      const frame = new av.Frame()
      frame.alloc()
      if ((await context.receiveFrame(frame)) < 0) {
        frame.free()
        return
      }
      await look(await download.of(frame))
    }
  }

  async function look(frame: AvFrame): Promise<void> {
    const converter = pixelConverter(av)
    const plain = converter.isPlanar(frame) ? frame : await converter.convert(frame)
    take(yuvView(plain))
    if (plain !== frame) plain.free()
    frame.free()
    converter.close()
  }
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
