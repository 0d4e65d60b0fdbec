import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFrameNumber } from '../agent/media/frame-number.ts'
import { NUMBER_HEIGHT, NUMBER_WIDTH } from './numbered-clip.ts'

/** One that watches a stream, by the `ffmpeg` program. */
export interface Viewer {
  /** Pictures that came so far. */
  readonly pictures: number
  /** Packets that its RTP clock says are missing. */
  readonly missed: number
  close(): Promise<void>
}

type Transport = 'tcp' | 'udp'

/** Takes the packets and counts the pictures in them. */
export function plainViewer(url: string, transport: Transport): Viewer {
  const out = ['-map', '0:v', '-c', 'copy', '-f', 'framecrc', '-']
  const viewer = watching(url, transport, out)
  let pictures = 0
  viewer.process.stdout?.on('data', (text: Buffer) => {
    for (const byte of text) if (byte === 10) pictures += 1
  })
  return viewer.counting(() => pictures)
}

/** Decodes every picture and tells its number as soon as it has it. */
export function readingViewer(
  url: string,
  transport: Transport,
  seen: (number: number) => void,
): Viewer {
  const bytes = NUMBER_WIDTH * NUMBER_HEIGHT
  const crop = `crop=${NUMBER_WIDTH}:${NUMBER_HEIGHT}:0:0`
  const out = ['-vf', crop, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'gray', '-']
  const viewer = watching(url, transport, out)
  let rest = Buffer.alloc(0)
  let pictures = 0
  const none = new Uint8Array()
  viewer.process.stdout?.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (; rest.length >= bytes; rest = rest.subarray(bytes)) {
      pictures += 1
      const size = { width: NUMBER_WIDTH, height: NUMBER_HEIGHT }
      const strides = { yStride: NUMBER_WIDTH, uvStride: NUMBER_WIDTH / 2 }
      seen(readFrameNumber({ ...size, ...strides, y: rest.subarray(0, bytes), u: none, v: none }))
    }
  })
  return viewer.counting(() => pictures)
}

function watching(url: string, transport: Transport, out: readonly string[]) {
  const quick = ['-fflags', 'nobuffer', '-flags', 'low_delay', '-threads', '1']
  const ffmpeg: ChildProcess = spawn('ffmpeg', [
    ...['-v', 'warning', '-nostdin', ...quick, '-rtsp_transport', transport, '-i', url],
    ...out,
  ])
  let missed = 0
  ffmpeg.stderr?.on('data', (text: Buffer) => {
    for (const [, count] of text.toString().matchAll(/missed (\d+) packets/g))
      missed += Number(count)
  })
  async function close(): Promise<void> {
    const closed = once(ffmpeg, 'close')
    ffmpeg.kill('SIGINT')
    await closed
  }
  return {
    process: ffmpeg,
    counting: (pictures: () => number): Viewer => ({
      get pictures() {
        return pictures()
      },
      get missed() {
        return missed
      },
      close,
    }),
  }
}
