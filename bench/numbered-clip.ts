import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFrameNumber } from '../agent/media/frame-number.ts'

/** Width of the number, pixels: 32 cells. */
export const NUMBER_WIDTH = 512
/** Its height, pixels. */
export const NUMBER_HEIGHT = 16

/** What a clip shows: each picture's number in its top left, over a picture that moves. */
export interface NumberedClip {
  readonly width: number
  readonly height: number
  readonly fps: number
  readonly frames: number
}

/** Makes a clip with the `ffmpeg` program: H.264 in MP4. */
export async function writeNumberedClip(file: string, clip: NumberedClip): Promise<void> {
  const { width, height, fps, frames } = clip
  const moving = `testsrc2=size=${width}x${height}:rate=${fps}`
  const numbers = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${NUMBER_WIDTH}x${NUMBER_HEIGHT}`]
  const ffmpeg = spawn('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', moving],
    ...[...numbers, '-r', String(fps), '-i', 'pipe:0'],
    ...['-filter_complex', '[0][1]overlay=shortest=1', '-frames:v', String(frames)],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-g', String(fps), '-pix_fmt', 'yuv420p', file],
  ])
  ffmpeg.stderr.pipe(process.stderr)
  const row = new Uint8Array(NUMBER_WIDTH * NUMBER_HEIGHT * 3)
  for (let number = 0; number < frames; number++) {
    writeFrameNumber({ width: NUMBER_WIDTH, height: NUMBER_HEIGHT, data: row }, number)
    if (!ffmpeg.stdin.write(Buffer.from(row))) await once(ffmpeg.stdin, 'drain')
  }
  ffmpeg.stdin.end()
  const [code] = await once(ffmpeg, 'close')
  if (code !== 0) throw new Error(`ffmpeg could not write ${file}`)
}
