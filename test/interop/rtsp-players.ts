import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import type { Film } from '../agent/rtsp/material.ts'

const run = promisify(execFile)
const options = { encoding: 'buffer', maxBuffer: 2 ** 28, timeout: 30_000 } as const

export type Protocol = 'tcp' | 'udp'

/** A program that plays: decodes so many pictures and says what each looks like. */
export type Player = (url: string, protocol: Protocol, pictures: number) => Promise<string[]>

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex')

/** MD5 sums of the planes (I420), as ffmpeg lists them. */
function sumsOf(framemd5: Buffer): string[] {
  const lines = framemd5.toString().split('\n')
  return lines
    .filter((line) => /^\d/.test(line))
    .map((line) => line.split(',').at(-1)?.trim() ?? '')
}

const asSums = ['-fps_mode', 'passthrough', '-pix_fmt', 'yuv420p', '-f', 'framemd5', '-']

/** What the pictures of a film look like, decoded without RTSP. */
export async function sumsOfFilm(file: string): Promise<string[]> {
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', file, ...asSums], options)
  return sumsOf(stdout)
}

export const ffmpeg: Player = async (url, protocol, pictures) => {
  const input = ['-v', 'error', '-rtsp_transport', protocol, '-i', url]
  const { stdout } = await run('ffmpeg', [...input, '-frames:v', `${pictures}`, ...asSums], options)
  return sumsOf(stdout)
}

/** rtspsrc; pictures have sides that GStreamer does not pad. */
export const gstreamer =
  ({ width, height }: Film['format']): Player =>
  async (url, protocol, pictures) => {
    const source = ['rtspsrc', `location=${url}`, `protocols=${protocol}`, 'latency=200']
    const decoder = ['rtph264depay', '!', 'h264parse', '!', 'avdec_h264', 'max-threads=1']
    const end = ['video/x-raw,format=I420', '!', 'identity', `eos-after=${pictures + 1}`]
    const pipeline = [...source, '!', ...decoder, '!', ...end, '!', 'fdsink', 'fd=1']
    const { stdout } = await run('gst-launch-1.0', ['-q', ...pipeline], options)
    const bytes = (width * height * 3) / 2
    return Array.from({ length: Math.floor(stdout.length / bytes) }, (_, index) =>
      md5(stdout.subarray(index * bytes, (index + 1) * bytes)),
    )
  }

const capture = `
import cv2, hashlib, sys
video = cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG)
for _ in range(int(sys.argv[2])):
    found, picture = video.read()
    if not found: break
    print(hashlib.md5(picture.tobytes()).hexdigest())
`

/** OpenCV's VideoCapture; its pictures are BGR, so their sums can be compared among themselves only. */
export const opencv: Player = async (url, protocol, pictures) => {
  const env = { ...process.env, OPENCV_FFMPEG_CAPTURE_OPTIONS: `rtsp_transport;${protocol}` }
  const args = ['-c', capture, url, String(pictures)]
  const { stdout } = await run('/usr/bin/python3', args, { ...options, env })
  return stdout.toString().trim().split('\n')
}

/** Width, height, codec and the number of pictures in about a second, as ffprobe has them. */
export async function ffprobe(url: string, protocol: Protocol): Promise<Record<string, unknown>> {
  const entries = 'stream=codec_name,profile,width,height,nb_read_frames,r_frame_rate'
  const what = [
    '-count_frames',
    '-read_intervals',
    '%+#30',
    '-show_entries',
    entries,
    '-of',
    'json',
  ]
  const input = ['-v', 'error', '-rtsp_transport', protocol, url]
  const { stdout } = await run('ffprobe', [...what, ...input], options)
  return JSON.parse(stdout.toString()).streams[0]
}
