import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { VideoFormat, VideoPacket } from '../../../agent/core/video.ts'
import { nalType, nalTypes, nalUnits, parameterSets } from '../../../agent/mux/h264.ts'

const run = promisify(execFile)
const startCode = Uint8Array.of(0, 0, 0, 1)

/** Parameter sets that say High profile, level 3.1; no decoder ever sees them. */
export const sps = Uint8Array.of(0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40)
export const pps = Uint8Array.of(0x68, 0xeb, 0xe3, 0xcb)
export const format: VideoFormat = { codec: 'h264', width: 320, height: 240, fps: 25 }

export function accessUnit(...nals: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(nals.flatMap((nal) => [startCode, nal]))
}

/** A NAL unit of so many bytes, all of them `fill`, which must not be zero. */
export function nalOf(header: number, bytes: number, fill: number): Uint8Array {
  const nal = new Uint8Array(bytes).fill(fill)
  nal[0] = header
  return nal
}

/** A packet that says its number in each of its bytes but the first; what is sent can be told by it. */
export function madePacket(index: number, { key = false, bytes = 100 } = {}): VideoPacket {
  const slice = nalOf(key ? 0x65 : 0x41, bytes, 1 + (index % 255))
  return {
    data: key ? accessUnit(sps, pps, slice) : accessUnit(slice),
    pts: index * 3600,
    key,
  }
}

/** A film that a real encoder made; pictures consist of several slices, and all differ. */
export interface Film {
  readonly packets: readonly VideoPacket[]
  readonly bitstream: Buffer
  readonly format: VideoFormat
  /** Pictures from one key picture to the next. */
  readonly interval: number
}

/** Encodes a test picture that counts. */
export async function film(): Promise<Film> {
  const [pictures, width, height, fps, interval] = [50, 320, 240, 50, 25]
  const source = `testsrc=size=${width}x${height}:rate=${fps}`
  const encoder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-bf', '0']
  const args = [
    ...['-v', 'error', '-f', 'lavfi', '-i', source, '-frames:v', `${pictures}`, ...encoder],
    ...['-x264-params', 'slices=3', '-g', `${interval}`, '-pix_fmt', 'yuv420p', '-f', 'h264', '-'],
  ]
  const { stdout } = await run('ffmpeg', args, { encoding: 'buffer', maxBuffer: 2 ** 28 })
  const packets = accessUnits(stdout).map((data, index) => ({
    data,
    pts: index * 3600,
    key: parameterSets(data) !== undefined,
  }))
  return { packets, bitstream: stdout, format: { codec: 'h264', width, height, fps }, interval }
}

/** Cuts a bitstream where a picture's first slice, or what may stand ahead of it, follows a slice. */
function accessUnits(bitstream: Uint8Array): Uint8Array[] {
  const units: Uint8Array[][] = [[]]
  let sliceSeen = false
  for (const nal of nalUnits(bitstream)) {
    const type = nalType(nal)
    const isSlice = type === nalTypes.slice || type === nalTypes.idr
    // The first bit of `first_mb_in_slice` is 1 only where that is 0.
    const begins = !isSlice || ((nal[1] ?? 0) & 0x80) !== 0
    if (sliceSeen && begins) {
      units.push([])
      sliceSeen = false
    }
    units.at(-1)?.push(nal)
    sliceSeen ||= isSlice
  }
  return units.map((nals) => accessUnit(...nals))
}
