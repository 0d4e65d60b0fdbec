import type { FormatContext } from 'node-av/lib'
import { VIDEO_CLOCK, type VideoPacket } from '../core/video.ts'
import type { ParameterSets } from '../mux/h264.ts'
import type { PushOptions } from './engine.ts'
import type { NodeAv } from './node-av-library.ts'
import type { PushTarget } from './push-target.ts'

/** FFmpeg's muxer towards a server. Calls give FFmpeg's codes: negative ones are errors. */
export interface PushMuxer {
  /** To interrupt calls by. */
  readonly format: FormatContext
  /** Connects. Failing, it leaves nothing open. */
  begin(): Promise<number>
  write(packet: VideoPacket): Promise<number>
  /** Disconnects; to be called once it has begun, even after failures. */
  end(): Promise<number>
  free(): void
}

/** A muxer for one H.264 stream that begins with `sets`. */
export function pushMuxer(
  av: NodeAv,
  target: PushTarget,
  options: PushOptions,
  sets: ParameterSets,
): PushMuxer {
  const clock = new av.Rational(1, VIDEO_CLOCK)
  const format = new av.FormatContext()
  const [muxer, destination] = muxerFor(target)
  format.allocOutputContext2(null, muxer, destination)
  const stream = format.newStream()
  describe(av, stream.codecpar, options, sets)
  stream.timeBase = clock
  const header = av.Dictionary.fromObject(
    target.protocol === 'rtsp' ? { rtsp_transport: 'tcp' } : {},
  )
  const sent = new av.Packet()
  sent.alloc()

  return {
    format,
    begin: () => format.writeHeader(header),
    write({ data, pts, key }) {
      sent.unref()
      sent.data = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
      sent.streamIndex = stream.index
      sent.pts = BigInt(pts)
      sent.dts = BigInt(pts)
      sent.isKeyframe = key
      sent.rescaleTs(clock, stream.timeBase)
      // Without it, FFmpeg ends the process.
      sent.timeBase = stream.timeBase
      return format.writeFrame(sent)
    },
    end: () => format.writeTrailer(),
    free() {
      header.free()
      sent.free()
      format.freeContext()
    },
  }
}

/** Opened by the muxer `tee`, a connection can be interrupted; opened by node-av, it cannot. */
function muxerFor({ protocol, url }: PushTarget): [muxer: string, destination: string] {
  if (protocol === 'rtsp') return ['rtsp', url]
  return ['tee', `[f=flv:flvflags=no_duration_filesize]${url.replace(/[\\'|]/g, '\\$&')}`]
}

function describe(
  av: NodeAv,
  parameters: FormatContext['streams'][number]['codecpar'],
  { width, height }: PushOptions,
  { sps, pps }: ParameterSets,
): void {
  const { AVMEDIA_TYPE_VIDEO, AV_CODEC_ID_H264, AV_PIX_FMT_YUV420P } = av.constants
  const startCode = Buffer.from([0, 0, 0, 1])
  parameters.codecType = AVMEDIA_TYPE_VIDEO
  parameters.codecId = AV_CODEC_ID_H264
  parameters.format = AV_PIX_FMT_YUV420P
  parameters.width = width
  parameters.height = height
  parameters.extradata = Buffer.concat([startCode, sps, startCode, pps])
}
