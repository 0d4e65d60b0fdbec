import { VIDEO_CLOCK, type VideoFormat, type VideoPacket } from '../core/video.ts'
import { fragment, type Init, initFollower } from './fmp4.ts'

/** What a viewer is told ahead of each init segment, as JSON. */
export interface LiveHeader {
  /** As RFC 6381 has it. */
  readonly codec: string
  /** For `MediaSource.addSourceBuffer`. */
  readonly mime: string
  readonly width: number
  readonly height: number
  readonly fps: number
}

/** One viewer of a running stream. */
export interface LiveViewer {
  /**
   * What must be sent for this packet, in order: texts as text, bytes as binary messages. Nothing while
   * it waits for a key packet.
   */
  take(packet: VideoPacket): (string | Uint8Array)[]
  /** Something is not sent: nothing more until the next key packet. */
  skip(): void
}

/** Steps fade from memory at this rate, so that one long step does not mark the durations for ever. */
const FADE = 0.9

/**
 * Makes one viewer's fragmented MP4 of a running stream: header, init segment, then one fragment a packet
 * from the next key packet on, without delay. Its clock begins at 0 and has no gaps, whatever is skipped.
 */
export function liveViewer(format: VideoFormat): LiveViewer {
  const follow = initFollower(format)
  const clock = viewerClock(Math.round(VIDEO_CLOCK / format.fps))
  let waiting = true
  let isReady = false
  let sequence = 0

  function begin(packet: VideoPacket): (string | Uint8Array)[] {
    const init = follow(packet)
    if (init) isReady = true
    if (isReady) waiting = false
    return init ? [JSON.stringify(header(format, init)), init.bytes] : []
  }
  return {
    take(packet) {
      const ahead = packet.key ? begin(packet) : []
      const { time, duration } = clock.next(packet.pts, waiting)
      if (waiting) return []
      sequence += 1
      const sample = { data: packet.data, key: packet.key, duration }
      return [...ahead, fragment({ sequence, time, samples: [sample] })]
    },
    skip() {
      waiting = true
    },
  }
}

interface ViewerClock {
  /** When this packet is shown, and for how long; a packet that is skipped takes no time. */
  next(pts: number, skipped: boolean): { readonly time: number; readonly duration: number }
}

/**
 * How long a picture is shown is known only when the next one comes, and that is too late: it is
 * said to be as long as the longest of the last steps. A step of more than twice of what was said is
 * shortened to that: a browser would take it for a gap and wait for a key picture (Media Source
 * Extensions, coded frame processing).
 */
function viewerClock(usual: number): ViewerClock {
  let last: number | undefined
  let time = 0
  let duration = usual
  return {
    next(pts, skipped) {
      if (skipped) return { time, duration }
      if (last !== undefined) {
        const step = Math.min(Math.max(pts - last, 1), 2 * duration)
        time += step
        duration = Math.round(Math.max(step, duration * FADE))
      }
      last = pts
      return { time, duration }
    },
  }
}

function header({ width, height, fps }: VideoFormat, { codec }: Init): LiveHeader {
  return { codec, mime: `video/mp4; codecs="${codec}"`, width, height, fps }
}
