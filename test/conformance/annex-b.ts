import { execFileSync } from 'node:child_process'
import type { VideoPacket } from '../../agent/core/video.ts'

/** The pictures in `packets` as the ffmpeg program decodes them: Y, U, V without padding. */
export function decodedAnnexB(
  packets: readonly VideoPacket[],
  width: number,
  height: number,
): Buffer[] {
  const raw = ['-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-']
  const decoded = execFileSync('ffmpeg', ['-v', 'error', '-f', 'h264', '-i', '-', ...raw], {
    input: bytesOf(packets),
    maxBuffer: 1 << 28,
  })
  const each = (width * height * 3) / 2
  return Array.from({ length: decoded.length / each }, (_, index) =>
    decoded.subarray(index * each, (index + 1) * each),
  )
}

/** What ffprobe reads from the headers about colours and reordering. */
export function colourByFfprobe(packets: readonly VideoPacket[]): unknown {
  const entries = 'stream=color_range,color_space,color_transfer,color_primaries,has_b_frames'
  const args = ['-v', 'error', '-f', 'h264', '-show_entries', entries, '-of', 'json', '-']
  const { streams } = JSON.parse(
    execFileSync('ffprobe', args, { input: bytesOf(packets) }).toString(),
  )
  return streams[0]
}

/** The byte stream. */
export function bytesOf(packets: readonly VideoPacket[]): Buffer {
  return Buffer.concat(packets.map(({ data }) => data))
}
