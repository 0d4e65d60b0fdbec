import type { Frame as AvFrame } from 'node-av/lib'
import { AgentError } from '../core/errors.ts'
import type { Yuv420 } from '../core/stages.ts'
import { VIDEO_CLOCK, type VideoPacket } from '../core/video.ts'
import type { TriedEngine } from './codec-trial.ts'
import { pixelConverter } from './node-av-convert.ts'
import { decodingBy } from './node-av-decoding.ts'
import { NodeAvEncoder } from './node-av-encoder.ts'
import { encoderKind } from './node-av-encoders.ts'
import type { NodeAv } from './node-av-library.ts'
import { yuvView } from './node-av-planes.ts'
import { onOtherThreads } from './spare-time.ts'

/** The codecs of node-av, to be tried out. */
export function nodeAvTrials(av: NodeAv): TriedEngine {
  return {
    async encode(options) {
      const kind = encoderKind(options.encoder)
      if (!kind) throw new AgentError('INTERNAL', `no encoder is called '${options.encoder}'`)
      return NodeAvEncoder.open({ av, workplace: onOtherThreads }, kind, options)
    },
    decode: (packets, decoder, take) => decode(av, packets, decoder, take),
  }
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
