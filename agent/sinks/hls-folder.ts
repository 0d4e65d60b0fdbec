import type { OutputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import { VIDEO_CLOCK, type VideoFormat, type VideoPacket } from '../core/video.ts'
import { fragment, initFollower, samplesUntil } from '../mux/fmp4.ts'
import { type DiskQueue, diskQueue } from './disk-queue.ts'
import { type FreeSpace, freeSpace } from './free-space.ts'
import { type HlsFiles, openHlsFiles } from './hls-files.ts'
import { fileTime, filledPath, makeMediaFolder, mediaPath } from './media-path.ts'
import { packetIntake, type Recording } from './packet-intake.ts'
import type { SinkContext } from './sink-context.ts'
import type { OpenPackets, StreamControl } from './video-sink.ts'

const DEFAULT_SEGMENT_S = 2
const DEFAULT_KEEP = 10
/** Bytes that may wait for a slow disk, and the largest segment: it is held in memory until it is whole. */
const QUEUE_BYTES = 16 * 1024 * 1024
const SEGMENT_BYTES = 8 * 1024 * 1024

/**
 * `file:///….m3u8` below the media folder: HTTP Live Streaming (RFC 8216) as fragmented MP4, for any web
 * server to hand out. Segments of `segmentS` are cut at key pictures; the playlist shows the newest `keep`,
 * files that left it go when no player can need them. `{input}` and `{time}` (when the stream began, UTC) are
 * replaced; each input needs a playlist of its own. A stream that begins anew goes on after a discontinuity.
 * @throws AgentError SINK_FORBIDDEN, SINK_FAILED
 */
export function hlsFolder(
  spec: OutputSpec,
  context: Pick<SinkContext, 'mediaFolder' | 'minFreeBytes' | 'dropped'>,
  spaceOf: typeof freeSpace = freeSpace,
): OpenPackets {
  const { mediaFolder, minFreeBytes, dropped } = context
  const pattern = mediaPath(spec.url, mediaFolder)
  const seconds = spec.segmentS ?? DEFAULT_SEGMENT_S
  /** Paths of open streams, and whose they are. */
  const owners = new Map<string, string>()

  async function open(path: string, format: VideoFormat, control: StreamControl) {
    await makeMediaFolder(path, mediaFolder)
    const space = spaceOf(mediaFolder, minFreeBytes)
    await space.check()
    const files = await openHlsFiles(path, {
      mediaFolder,
      keep: spec.keep ?? DEFAULT_KEEP,
      target: Math.ceil(seconds) + 1,
    })
    const queue = diskQueue()
    const recording = new HlsRecording({ format, control, queue, files, space, seconds })
    return packetIntake({ control, queue, recording, maxBytes: QUEUE_BYTES, dropped })
  }
  return async (input, format, control) => {
    const path = filledPath(pattern, { input, time: fileTime() })
    const owner = owners.get(path)
    if (owner !== undefined) throw isShared(path, owner, input)
    owners.set(path, input)
    try {
      const sink = await open(path, format, control)
      const close = () => sink.close().finally(() => owners.delete(path))
      return { write: sink.write, close }
    } catch (error) {
      owners.delete(path)
      throw error
    }
  }
}

function isShared(path: string, owner: string, input: string): AgentError {
  return new AgentError(
    'SINK_FAILED',
    `'${path}' shows the input '${owner}', so it cannot show '${input}' too; put {input} into the URL`,
  )
}

interface RecordingParts {
  readonly format: VideoFormat
  readonly control: StreamControl
  readonly queue: DiskQueue
  readonly files: HlsFiles
  readonly space: FreeSpace
  /** Length of a segment. */
  readonly seconds: number
}

/** Gathers packets to segments and hands these to the disk. */
class HlsRecording implements Recording {
  readonly #parts: RecordingParts
  readonly #follow: ReturnType<typeof initFollower>
  readonly #longest: number
  #pending: VideoPacket[] = []
  #pendingBytes = 0
  #origin: number | undefined
  #last: number | undefined
  #step: number
  #sequence = 0
  #isKeyAsked = false
  #isDiscontinuous = true

  constructor(parts: RecordingParts) {
    this.#parts = parts
    this.#follow = initFollower(parts.format)
    this.#step = VIDEO_CLOCK / parts.format.fps
    this.#longest = parts.files.target * VIDEO_CLOCK
  }

  take(packet: VideoPacket, gap: boolean): void {
    const init = this.#follow(packet)
    if (!init && this.#origin === undefined) return
    this.#origin ??= packet.pts
    const step = packet.pts - (this.#last ?? packet.pts - this.#step)
    // After dropped packets, the last picture is not shown until the next one.
    const cut = gap || init || this.#isFull(packet)
    if (cut) this.#flush(gap && this.#last !== undefined ? this.#last + this.#step : packet.pts)
    this.#step = step
    this.#last = packet.pts
    if (gap || init) this.#isDiscontinuous = true
    if (init) this.#begin(init.bytes)
    this.#pending.push(packet)
    this.#pendingBytes += packet.data.length
    this.#askForEnd(packet.pts)
  }

  async finish(): Promise<void> {
    if (this.#last !== undefined) this.#flush(this.#last + this.#step)
    const { queue, files } = this.#parts
    await queue.finish(() => (queue.failure ? Promise.resolve() : files.end()))
  }

  #begin(init: Uint8Array): void {
    const { queue, files, space } = this.#parts
    queue.add(init.length, async () => {
      await space.check()
      await files.init(init)
    })
  }

  #isFull({ key, pts, data }: VideoPacket): boolean {
    const [first] = this.#pending
    if (!first) return false
    const length = pts - first.pts
    if (key && length >= this.#parts.seconds * VIDEO_CLOCK) return true
    // A key picture was asked for and did not come. A segment may begin without one.
    const tooLong = length + this.#step > this.#longest
    return tooLong || this.#pendingBytes + data.length > SEGMENT_BYTES
  }

  #askForEnd(pts: number): void {
    const begin = this.#pending[0]?.pts ?? pts
    const next = pts + this.#step - begin
    if (this.#isKeyAsked || next < this.#parts.seconds * VIDEO_CLOCK) return
    this.#isKeyAsked = true
    this.#parts.control.key()
  }

  /** @param end until when the last picture is shown; never beyond the longest segment that is announced */
  #flush(end: number): void {
    const packets = this.#pending
    const [first] = packets
    if (!first) return
    const latest = Math.min(end, first.pts + this.#longest)
    const samples = samplesUntil(packets, latest)
    const seconds = samples.reduce((sum, { duration }) => sum + duration, 0) / VIDEO_CLOCK
    this.#sequence += 1
    const time = first.pts - (this.#origin ?? 0)
    const bytes = fragment({ sequence: this.#sequence, time, samples })
    const discontinuity = this.#isDiscontinuous
    this.#pending = []
    this.#pendingBytes = 0
    this.#isKeyAsked = false
    this.#isDiscontinuous = false
    const { queue, files, space } = this.#parts
    queue.add(bytes.length, async () => {
      await space.check()
      await files.segment(bytes, { seconds, discontinuity })
    })
  }
}
