import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'

const run = promisify(execFile)
const options = { encoding: 'buffer', maxBuffer: 2 ** 28, timeout: 30_000 } as const

export type Protocol = 'tcp' | 'udp'

/** Sides of the pictures, as they were encoded. */
export interface Size {
  readonly width: number
  readonly height: number
}

/** A program that plays: decodes so many pictures; each as its planes Y, U and V, without padding. */
export type Player = (
  url: string,
  protocol: Protocol,
  pictures: number,
  size: Size,
) => Promise<Buffer[]>

/** What pictures look like, to be compared. */
export function sumsOf(pictures: readonly Uint8Array[]): string[] {
  return pictures.map((planes) => createHash('md5').update(planes).digest('hex'))
}

const raw = ['-fps_mode', 'passthrough', '-pix_fmt', 'yuv420p', '-f', 'rawvideo', '-']

/** The pictures of a film, decoded without RTSP. */
export async function picturesOf(file: string, size: Size): Promise<Buffer[]> {
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', file, ...raw], options)
  return divided(stdout, size)
}

export const ffmpeg: Player = async (url, protocol, pictures, size) => {
  const input = ['-v', 'error', '-rtsp_transport', protocol, '-i', url]
  const { stdout } = await run('ffmpeg', [...input, '-frames:v', `${pictures}`, ...raw], options)
  return divided(stdout, size)
}

/**
 * rtspsrc; pictures have sides that GStreamer does not pad.
 *
 * When a pipeline ends, rtspsrc sends PAUSE and at once cancels it for TEARDOWN. A cancellation that meets the
 * write itself is reported as an end-of-file of the server (writev_bytes in gstrtspconnection.c looks at the
 * bytes written before it looks at the error). Whoever has all its pictures by then has seen no fault of ours.
 */
export const gstreamer: Player = async (url, protocol, pictures, size) => {
  const source = ['rtspsrc', `location=${url}`, `protocols=${protocol}`, 'latency=200']
  const decoder = ['rtph264depay', '!', 'h264parse', '!', 'avdec_h264', 'max-threads=1']
  const end = ['video/x-raw,format=I420', '!', 'identity', `eos-after=${pictures + 1}`]
  const pipeline = [...source, '!', ...decoder, '!', ...end, '!', 'fdsink', 'fd=1']
  const { stdout } = await run('gst-launch-1.0', ['-q', ...pipeline], options).catch((error) => {
    const isComplete = divided(error.stdout, size).length >= pictures
    if (isComplete && isCancelledPause(`${error.stderr}`)) return { stdout: error.stdout as Buffer }
    throw error
  })
  return divided(stdout, size)
}

/** Whether GStreamer complains only about the PAUSE that it cancelled itself. */
function isCancelledPause(complaints: string): boolean {
  const causes = [...complaints.matchAll(/^Could not .*$/gm)].map(([cause]) => cause)
  const own = 'Could not send message. (Received end-of-file)'
  return causes.length > 0 && causes.every((cause) => cause === own)
}

const capture = `
import cv2, sys
video = cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG)
for _ in range(int(sys.argv[2])):
    found, picture = video.read()
    if not found: break
    sys.stdout.buffer.write(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).tobytes())
`

/** OpenCV's VideoCapture; it makes its pictures BGR, so they come back nearly as they were. */
export const opencv: Player = async (url, protocol, pictures, size) => {
  const env = { ...process.env, OPENCV_FFMPEG_CAPTURE_OPTIONS: `rtsp_transport;${protocol}` }
  const args = ['-c', capture, url, String(pictures)]
  const { stdout } = await run('/usr/bin/python3', args, { ...options, env })
  return divided(stdout, size)
}

function divided(planes: Buffer, { width, height }: Size): Buffer[] {
  const bytes = (width * height * 3) / 2
  return Array.from({ length: Math.floor(planes.length / bytes) }, (_, index) =>
    planes.subarray(index * bytes, (index + 1) * bytes),
  )
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
