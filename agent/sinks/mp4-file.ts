import type { OutputSpec } from '../../schemas/control.ts'
import { VIDEO_CLOCK, type VideoFormat, type VideoPacket } from '../core/video.ts'
import { fragment, gapAhead, initFollower, samplesUntil } from '../mux/fmp4.ts'
import { type DiskQueue, diskQueue } from './disk-queue.ts'
import { type FreeSpace, freeSpace } from './free-space.ts'
import { makeMediaFolder, mediaPath } from './media-path.ts'
import { packetIntake, type Recording } from './packet-intake.ts'
import { type RecordingFile, type RecordingFiles, recordingFiles } from './recording-files.ts'
import type { SinkContext } from './sink-context.ts'
import type { OpenPackets, StreamControl } from './video-sink.ts'

const DEFAULT_SEGMENT_S = 600
const DEFAULT_MAX_BYTES = 1e9
/** Bytes that may wait for a slow disk. */
const QUEUE_BYTES = 8 * 1024 * 1024
/** Longer fragments would lose more when the process is killed. */
const FRAGMENT_MS = 250

/**
 * `file:///….mp4` below the media folder: fragmented MP4, of which `kill -9` or a power cut loses less
 * than a second. A new file begins, with a key picture, after `segmentS` or `maxBytes`, and when the stream's
 * parameters change; `{input}` and `{time}` (when the file was begun, UTC) are replaced, and no file is ever
 * overwritten. `keep` deletes the oldest. While the disk has less than `minFreeBytes`, it fails (retryable).
 * @throws AgentError SINK_FORBIDDEN, SINK_FAILED
 */
export function mp4File(
  spec: OutputSpec,
  context: Pick<SinkContext, 'mediaFolder' | 'minFreeBytes' | 'dropped'>,
  spaceOf: typeof freeSpace = freeSpace,
): OpenPackets {
  const { mediaFolder, minFreeBytes } = context
  const pattern = mediaPath(spec.url, mediaFolder)
  const files = recordingFiles(pattern, mediaFolder, spec.keep)
  const limits = {
    ticks: (spec.segmentS ?? DEFAULT_SEGMENT_S) * VIDEO_CLOCK,
    bytes: spec.maxBytes ?? DEFAULT_MAX_BYTES,
  }
  return async (input, format, control) => {
    await makeMediaFolder(pattern, mediaFolder)
    const space = spaceOf(mediaFolder, minFreeBytes)
    await space.check()
    const queue = diskQueue()
    const parts = { input, format, control, queue, files, space, limits }
    const recording = new Mp4Recording(parts)
    const dropped = context.dropped
    return packetIntake({ control, queue, recording, maxBytes: QUEUE_BYTES, dropped })
  }
}

interface RecordingParts {
  readonly input: string
  readonly format: VideoFormat
  readonly control: StreamControl
  readonly queue: DiskQueue
  readonly files: RecordingFiles
  readonly space: FreeSpace
  /** Of one file. */
  readonly limits: { readonly ticks: number; readonly bytes: number }
}

/** Gathers packets to fragments and hands these to the disk; the disk's side runs in the queue. */
class Mp4Recording implements Recording {
  readonly #parts: RecordingParts
  readonly #follow: ReturnType<typeof initFollower>
  #init: Uint8Array | undefined
  #pending: VideoPacket[] = []
  #timer: NodeJS.Timeout | undefined
  #step: number
  #last: number | undefined
  /** Of the file: when it began, what it holds, and whether its end was asked for. */
  #origin = 0
  #bytes = 0
  #sequence = 0
  #isKeyAsked = false
  #file: RecordingFile | undefined

  constructor(parts: RecordingParts) {
    this.#parts = parts
    this.#follow = initFollower(parts.format)
    this.#step = VIDEO_CLOCK / parts.format.fps
  }

  take(packet: VideoPacket): void {
    const { pts, key } = packet
    const init = this.#follow(packet)
    const isFirst = this.#init === undefined
    this.#init = init?.bytes ?? this.#init
    if (!this.#init) return
    if (this.#last !== undefined) this.#step = pts - this.#last
    this.#last = pts
    const begins = isFirst || init !== undefined || (key && this.#isDue(pts))
    const [first] = this.#pending
    if (begins || (first && pts + this.#step - first.pts > fragmentTicks)) this.#flush(pts)
    if (begins) this.#begin(pts)
    this.#pending.push(packet)
    this.#timer ??= setTimeout(() => this.#flushLate(), FRAGMENT_MS)
    this.#askForEnd(pts)
  }

  async finish(): Promise<void> {
    this.#flushLate()
    await this.#parts.queue.finish(async () => {
      const file = this.#file
      this.#file = undefined
      await file?.close()
    })
  }

  #isDue(pts: number): boolean {
    const { ticks, bytes } = this.#parts.limits
    return pts - this.#origin >= ticks || this.#bytes >= bytes
  }

  /** The picture that comes when the file is full is to be a key picture. */
  #askForEnd(pts: number): void {
    if (this.#isKeyAsked || !this.#isDue(pts + this.#step)) return
    this.#isKeyAsked = true
    this.#parts.control.key()
  }

  #begin(pts: number): void {
    const { queue, files, space, input } = this.#parts
    const init = this.#init ?? new Uint8Array()
    this.#origin = pts
    this.#bytes = init.length
    this.#sequence = 0
    this.#isKeyAsked = false
    queue.add(init.length, async () => {
      const before = this.#file
      this.#file = undefined
      await before?.close()
      await space.check()
      this.#file = await files.create(input)
      await this.#file.append(init)
    })
  }

  /** Nothing more came: what is there must not wait in memory. */
  #flushLate(): void {
    const last = this.#pending.at(-1)
    if (last) this.#flush(last.pts + this.#step)
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** @param end until when the last picture is shown */
  #flush(end: number): void {
    const packets = this.#pending
    const [first] = packets
    if (!first) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#pending = []
    this.#sequence += 1
    const part = fragment({
      sequence: this.#sequence,
      time: first.pts - this.#origin,
      samples: samplesUntil(packets, end),
    })
    const bytes = Buffer.concat([gapAhead(this.#bytes, part), part])
    this.#bytes += bytes.length
    const { queue, space } = this.#parts
    queue.add(bytes.length, async () => {
      await space.check()
      await this.#file?.append(bytes)
    })
  }
}

const fragmentTicks = (FRAGMENT_MS / 1000) * VIDEO_CLOCK
