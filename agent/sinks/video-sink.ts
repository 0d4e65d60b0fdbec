import type { OutputSpec } from '../../schemas/control.ts'
import type { Result } from '../../schemas/results.ts'
import { AgentError } from '../core/errors.ts'
import type { Delivered, Seen, Sink } from '../core/stages.ts'
import type { PacketSink, VideoFormat } from '../core/video.ts'
import type { SinkContext } from './sink-context.ts'
import { VideoStreams } from './video-streams.ts'
import type { Shown } from './video-track.ts'

/** What a destination may ask of the stream that it is given. */
export interface StreamControl {
  /** Whether packets are wanted at all. They are not until it says so. */
  wanted(on: boolean): void
  /** The next picture is to be a key picture. */
  key(): void
}

/** Opens a destination for the stream of one input. @throws AgentError SINK_FAILED, SINK_FORBIDDEN */
export type OpenPackets = (
  input: string,
  format: VideoFormat,
  control: StreamControl,
) => Promise<PacketSink>

/** For destinations that want the stream from the beginning to the end. */
export function always(open: OpenPackets): OpenPackets {
  return async (input, format, control) => {
    const packets = await open(input, format, control)
    control.wanted(true)
    return packets
  }
}

const DEFAULT_FPS = 25
/** Pictures that wait for an encoder, of those that nobody can hold back. */
const WAITING = 3

/**
 * An output that shows video: draws what was found on each picture, encodes it and hands the packets
 * to a destination, one stream per input. `overlay: exact` shows the inferred pictures, each with its
 * own boxes; `latest` every picture, with the newest boxes and their age.
 */
export function videoSink(spec: OutputSpec, context: SinkContext, open: OpenPackets): Sink {
  const latest = spec.overlay === 'latest'
  const newest = new Map<string, Result>()
  const lost = (error: unknown): void => context.lost(AgentError.from(error, 'SINK_FAILED'))
  const { engine, encoder } = context
  const bitrate = (format: VideoFormat): number => spec.bitrate ?? usualBitrate(format)
  const waiting = latest ? WAITING : Number.POSITIVE_INFINITY
  const streams = new VideoStreams({
    ...{ engine, encoder, bitrate, age: latest, waiting, open },
    failed: lost,
  })

  async function show(input: string, shown: Shown, fps = DEFAULT_FPS): Promise<void> {
    const [width, height] = [shown.frame.width & ~1, shown.frame.height & ~1]
    if (width === 0 || height === 0) return
    const { track, opened } = streams.of(input, { codec: 'h264', width, height, fps })
    const [taken] = await Promise.all([track.show(shown), opened])
    if (!taken) context.dropped()
  }

  function see({ input, frame, capturedAt, pts, fps }: Seen): void {
    if (!latest) return
    frame.retain()
    show(input, { frame, capturedAt, pts, found: newest.get(input) }, fps)
      .catch(lost)
      .finally(() => frame.release())
  }

  return {
    continuous: true,
    paced: true,
    open: async () => undefined,
    see,
    async write({ result, frame, fps }: Delivered) {
      newest.set(result.input, result)
      if (latest) return
      const { capturedAt, pts } = result
      await show(result.input, { frame, capturedAt, pts, found: result }, fps)
    },
    inputOver(input) {
      newest.delete(input)
      streams.end(input)
    },
    close: () => streams.close(),
  }
}

/** About 0.1 bit per pixel: 2.8 Mbit/s at 720p30. */
function usualBitrate({ width, height, fps }: VideoFormat): number {
  return Math.round(Math.max(200_000, width * height * fps * 0.1))
}
