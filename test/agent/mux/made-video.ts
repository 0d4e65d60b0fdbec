import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { VIDEO_CLOCK, type VideoFormat, type VideoPacket } from '../../../agent/core/video.ts'
import { nalType, nalUnits } from '../../../agent/mux/h264.ts'
import { needs } from '../../interop/needs.ts'

const run = promisify(execFile)
const maxBuffer = 2 ** 28

/** Whether ffmpeg and ffprobe are here. */
export const hasFfmpeg = needs('ffmpeg', 'ffmpeg') && needs('ffprobe', 'ffmpeg')

interface MadeVideo {
  readonly format: VideoFormat
  readonly packets: readonly VideoPacket[]
}

interface Wanted {
  readonly seconds: number
  /** Pictures from one key picture to the next. */
  readonly keyEvery: number
  readonly width?: number
  readonly height?: number
  readonly fps?: number
  readonly profile?: 'baseline' | 'main' | 'high'
}

/** Moving pictures, encoded by ffmpeg, as the agent's encoder gives them. */
export async function madeVideo(wanted: Wanted): Promise<MadeVideo> {
  const { seconds, keyEvery, width = 320, height = 240, fps = 30, profile = 'high' } = wanted
  const source = `testsrc2=size=${width}x${height}:rate=${fps}:duration=${seconds}`
  const x264 = `aud=1:keyint=${keyEvery}:min-keyint=${keyEvery}:scenecut=0:bframes=0`
  const args = [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    source,
    '-c:v',
    'libx264',
    '-profile:v',
    profile,
  ]
  args.push('-preset', 'veryfast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p')
  args.push('-x264-params', x264, '-f', 'h264', '-')
  const { stdout } = await run('ffmpeg', args, { encoding: 'buffer', maxBuffer })
  const packets = accessUnits(stdout).map((data, index) => ({
    data,
    pts: Math.round((index * VIDEO_CLOCK) / fps),
    key: [...nalUnits(data)].some((unit) => nalType(unit) === 5),
  }))
  return { format: { codec: 'h264', width, height, fps }, packets }
}

/** Cuts a byte stream where delimiters begin, and leaves them out. */
function accessUnits(stream: Buffer): Uint8Array[] {
  const delimiter = Buffer.from([0, 0, 0, 1, 9])
  const units: Uint8Array[] = []
  let at = stream.indexOf(delimiter)
  while (at >= 0) {
    const next = stream.indexOf(delimiter, at + 5)
    units.push(stream.subarray(at + 6, next < 0 ? stream.length : next))
    at = next
  }
  return units
}

/** What ffmpeg decodes of a file or of packets, one hash a picture. */
export async function decodedHashes(from: string | readonly VideoPacket[]): Promise<string[]> {
  const input = typeof from === 'string' ? ['-i', from] : ['-f', 'h264', '-i', 'pipe:0']
  const args = ['-v', 'error', ...input, '-map', '0:v', '-fps_mode', 'passthrough']
  const running = run('ffmpeg', [...args, '-f', 'framemd5', '-'], { maxBuffer })
  if (typeof from !== 'string') running.child.stdin?.end(annexB(from))
  const { stdout } = await running
  const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return lines.map((line) => line.split(',').at(-1)?.trim() ?? '')
}

/** What ffprobe says about each packet of a file, as it prints it. */
export async function probedPackets(
  path: string,
): Promise<{ pts: number; duration: number; flags: string; size: number; pos: number }[]> {
  const entries = 'packet=pts,duration,flags,size,pos'
  const args = ['-v', 'error', '-show_entries', entries, '-of', 'json', path]
  const { stdout } = await run('ffprobe', args, { maxBuffer })
  const { packets } = JSON.parse(stdout) as { packets: Record<string, string | number>[] }
  return packets.map(({ pts, duration, flags, size, pos }) => ({
    pts: Number(pts),
    duration: Number(duration),
    flags: String(flags),
    size: Number(size),
    pos: Number(pos),
  }))
}

/** What ffprobe says about the stream of a file. */
export async function probedStream(path: string): Promise<Record<string, unknown>> {
  const args = ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', path]
  const { stdout } = await run('ffprobe', args, { maxBuffer })
  const { streams, format } = JSON.parse(stdout) as {
    streams: Record<string, unknown>[]
    format: Record<string, unknown>
  }
  return { ...streams[0], format_duration: format.duration }
}

function annexB(packets: readonly VideoPacket[]): Buffer {
  return Buffer.concat(packets.map(({ data }) => data))
}
