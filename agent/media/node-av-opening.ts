import type { CodecContext, Packet, Stream } from 'node-av/lib'
import type { SourceInfo } from '../core/stages.ts'
import type { StreamInput, VideoOptions } from './engine.ts'
import { pixelConverter } from './node-av-convert.ts'
import { directCopy } from './node-av-copy.ts'
import { openVideo } from './node-av-decoder.ts'
import type { DecoderChoice } from './node-av-decoding.ts'
import type { Download } from './node-av-download.ts'
import type { VideoContext } from './node-av-frame.ts'
import type { FramePool } from './node-av-frame-pool.ts'
import { type OpenInput, openInput } from './node-av-input.ts'
import type { VideoIo } from './node-av-io.ts'
import type { CoderParts } from './node-av-library.ts'
import { type PacketReader, packetReader } from './node-av-packets.ts'
import { sharedPlanes } from './node-av-planes.ts'
import { swapsAxes, turnOf } from './orientation.ts'

/** What every opening of one video shares. */
export interface VideoAccess extends CoderParts {
  readonly io: VideoIo
  readonly bytes: StreamInput
  /** Whether all of it is there: packets may be read before they are needed. */
  readonly isFile: boolean
  readonly options: VideoOptions
  readonly choice: DecoderChoice
  readonly frames: FramePool
}

/** One opening of the container, with its decoder. */
export interface Opening {
  readonly input: OpenInput
  readonly stream: Stream
  readonly codec: CodecContext
  readonly download: Download
  readonly packets: PacketReader
  readonly context: VideoContext
  readonly info: SourceInfo
  /** The unit of the stream's times: `num` / `den` seconds. */
  readonly timeBase: { readonly num: number; readonly den: number }
  /** Whether a picture is decoded while its packet is taken, so that to ask for it costs nothing. */
  readonly decodesAtOnce: boolean
  /** Whether the last packet was given to the decoder. */
  flushing: boolean
  close(): Promise<void>
}

/** Opens container and decoder; on failure nothing of them stays open. */
export async function openContainer(access: VideoAccess): Promise<Opening> {
  const { av, options, choice } = access
  const input = await openInput(access, access.bytes, options.signal)
  try {
    const { stream, codec, download } = await openVideo(av, input, options, choice)
    const matrix = stream.codecpar.getCodedSideData(av.constants.AV_PKT_DATA_DISPLAYMATRIX)
    const planes = sharedPlanes(av)
    const direct = directCopy(av)
    const turn = turnOf(matrix)
    const context = {
      av,
      converter: pixelConverter(av),
      planes,
      direct,
      turn,
      frames: access.frames,
    }
    const packets = packetsOf(access, input, stream)
    const info = infoOf(stream, context)
    const close = async () => {
      context.converter.close()
      planes.close()
      direct.close()
      packets.close()
      codec.freeContext()
      download.close()
      await input.close()
    }
    const { num, den } = stream.timeBase
    return {
      ...{ input, stream, codec, download, packets, context, info, close },
      timeBase: { num, den },
      decodesAtOnce: codec.threadCount === 1 && codec.hwDeviceCtx === null,
      flushing: false,
    }
  } catch (error) {
    await input.close()
    throw error
  }
}

function packetsOf(
  { av, isFile, options: { signal, decode } }: VideoAccess,
  { format, prefetch }: OpenInput,
  { index }: Stream,
): PacketReader {
  const wanted = ({ streamIndex, isKeyframe }: Packet) =>
    streamIndex === index && (decode !== 'key' || isKeyframe)
  return packetReader(av, format, wanted, { ahead: isFile, prefetch, signal })
}

function infoOf(stream: Stream, { turn }: VideoContext): SourceInfo {
  const { width, height } = stream.codecpar
  const { num, den } = stream.avgFrameRate.num > 0 ? stream.avgFrameRate : stream.rFrameRate
  const swapped = turn !== undefined && swapsAxes(turn)
  return {
    width: swapped ? height : width,
    height: swapped ? width : height,
    ...(num > 0 && den > 0 ? { fps: num / den } : {}),
  }
}
