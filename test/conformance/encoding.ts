import type { VideoPacket } from '../../agent/core/video.ts'
import type { EncodeOptions, MediaEngine, VideoEncoder } from '../../agent/media/engine.ts'
import { paintPicture } from './moving-picture.ts'

/** Ticks from one picture to the next, at 30 pictures a second. */
export const interval = 3000

/** Opens, uses and closes an encoder. */
export async function withEncoder<Value>(
  engine: MediaEngine,
  options: EncodeOptions,
  use: (encoder: VideoEncoder) => Promise<Value>,
): Promise<Value> {
  const encoder = await engine.encode(options)
  try {
    return await use(encoder)
  } finally {
    await encoder.close()
  }
}

/** Encodes pictures 0 … count-1 of the moving series. */
export async function encodeSeries(
  encoder: VideoEncoder,
  count: number,
  key: (index: number) => boolean = () => false,
  step = interval,
): Promise<VideoPacket[]> {
  const packets: VideoPacket[] = []
  for (let index = 0; index < count; index++) {
    paintPicture(encoder.picture, index)
    packets.push(...(await encoder.encode(index * step, key(index))))
  }
  return packets
}

/** Pictures that cannot be compressed well, always the same ones. */
export async function encodeNoise(encoder: VideoEncoder, count: number): Promise<VideoPacket[]> {
  const packets: VideoPacket[] = []
  let random = 1
  for (let index = 0; index < count; index++) {
    const { y } = encoder.picture
    for (let at = 0; at < y.length; at++) {
      random = (random * 1_103_515_245 + 12_345) & 0x7fffffff
      y[at] = 64 + ((random >> 16) & 63)
    }
    packets.push(...(await encoder.encode(index * interval, false)))
  }
  return packets
}
