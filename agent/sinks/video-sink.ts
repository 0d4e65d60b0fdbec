import type { OutputSpec } from '../../schemas/control.ts'
import type { Result } from '../../schemas/results.ts'
import { AgentError } from '../core/errors.ts'
import type { Delivered, Frame, Seen, Sink } from '../core/stages.ts'
import type { PacketSink, VideoFormat } from '../core/video.ts'
import type { SinkContext } from './sink-context.ts'
import { type Shown, VideoTrack } from './video-track.ts'

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

interface Stream {
  readonly track: VideoTrack
  readonly packets: Promise<PacketSink>
}

const DEFAULT_FPS = 25

/**
 * An output that shows video: draws what was found on each picture, encodes it and hands the packets
 * to a destination, one stream per input. `overlay: exact` shows the inferred pictures, each with its
 * own boxes; `latest` every picture, with the newest boxes and their age.
 */
export function videoSink(spec: OutputSpec, context: SinkContext, openPackets: OpenPackets): Sink {
  const latest = spec.overlay === 'latest'
  const streams = new Map<string, Stream>()
  const newest = new Map<string, Result>()
  const lost = (error: unknown): void => context.lost(AgentError.from(error, 'SINK_FAILED'))

  function open(input: string, format: VideoFormat, after: Promise<void>): Stream {
    const track: VideoTrack = new VideoTrack({
      engine: context.engine,
      encoder: context.encoder,
      format,
      bitrate: spec.bitrate ?? usualBitrate(format),
      age: latest,
      take: async (packet) => (await packets).write(packet),
    })
    const control = { wanted: (on: boolean) => track.want(on), key: () => track.key() }
    const packets = after.then(() => openPackets(input, format, control))
    packets.catch(lost)
    const stream = { track, packets }
    streams.set(input, stream)
    return stream
  }

  /** Pictures of another size are another stream, which begins when the one before has ended. */
  function streamOf(input: string, frame: Frame, fps = DEFAULT_FPS): Stream {
    const [width, height] = [frame.width & ~1, frame.height & ~1]
    const before = streams.get(input)
    if (before?.track.format.width === width && before.track.format.height === height) return before
    const ended = before ? closeStream(before) : Promise.resolve()
    return open(input, { codec: 'h264', width, height, fps }, ended)
  }

  async function show(input: string, shown: Shown, fps: number | undefined): Promise<void> {
    if (shown.frame.width < 2 || shown.frame.height < 2) return
    const { track, packets } = streamOf(input, shown.frame, fps)
    await packets
    if (!(await track.show(shown))) context.dropped()
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
    open: async () => undefined,
    see,
    async write({ result, frame, fps }: Delivered) {
      newest.set(result.input, result)
      if (latest) return
      const { capturedAt, pts } = result
      await show(result.input, { frame, capturedAt, pts, found: result }, fps)
    },
    async close() {
      await Promise.all([...streams.values()].map(closeStream))
      streams.clear()
    },
  }
}

async function closeStream({ track, packets }: Stream): Promise<void> {
  await track.close()
  const sink = await packets.catch(() => undefined)
  await sink?.close()
}

/** About 0.1 bit per pixel: 2.8 Mbit/s at 720p30. */
function usualBitrate({ width, height, fps }: VideoFormat): number {
  return Math.round(Math.max(200_000, width * height * fps * 0.1))
}
