import type { PacketSink, VideoPacket } from '../core/video.ts'
import type { DiskQueue } from './disk-queue.ts'
import type { StreamControl } from './video-sink.ts'

/** What makes files of packets. */
export interface Recording {
  /** Takes a packet, at once. @param gap whether packets before it were dropped; then it is a key packet */
  take(packet: VideoPacket, gap: boolean): void
  /** Writes what is left, and closes its files. */
  finish(): Promise<void>
}

/** How an intake works. */
export interface IntakeParts {
  readonly control: StreamControl
  readonly queue: DiskQueue
  readonly recording: Recording
  /** Bytes that may wait for the disk. */
  readonly maxBytes: number
  /** Told of each packet that was dropped. */
  dropped(): void
}

/**
 * Hands packets to a recording and never waits for the disk: while too much waits, packets are dropped
 * up to the next key packet. Once the disk failed, every write fails as that did.
 */
export function packetIntake(parts: IntakeParts): PacketSink {
  const { control, queue, recording, maxBytes, dropped } = parts
  let isWaiting = true
  let isAsked = true
  let hasGap = false

  /** Asks for a key picture once the disk has caught up, and once only. */
  function askForKey(): void {
    if (isAsked || queue.bytes > maxBytes / 2) return
    isAsked = true
    control.key()
  }
  function isTaken({ key, data }: VideoPacket): boolean {
    const fits = queue.bytes === 0 || queue.bytes + data.length <= maxBytes
    if (fits && (key || !isWaiting)) return true
    if (!fits) isAsked = false
    isWaiting = true
    askForKey()
    return false
  }
  control.wanted(true)
  control.key()
  return {
    async write(packet) {
      if (queue.failure) throw queue.failure
      if (isTaken(packet)) {
        recording.take(packet, hasGap)
        isWaiting = false
        hasGap = false
      } else {
        hasGap = true
        dropped()
      }
    },
    async close() {
      control.wanted(false)
      await recording.finish()
    },
  }
}
