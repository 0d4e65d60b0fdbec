import { Socket } from 'node:net'
import type { VideoPacket } from '../core/video.ts'

/** The file descriptor of a service process that encoded video leaves by. */
export const VIDEO_FD = 4

/** Longer ones are no packets: no encoder makes more of the largest picture that a service reads. */
export const MAX_PACKET_BYTES = 64 << 20

/**
 * Ahead of each packet's data, little-endian: length of the data (4 bytes), number of the stream (4 bytes), pts
 * (8 bytes, floating point), and 1 for a key packet or 0 for another (1 byte).
 */
const HEADER_BYTES = 17

/** Takes a packet of the stream that was opened with a number. */
export type TakeVideo = (stream: number, packet: VideoPacket) => void

/** What main is told of a process's video. */
export interface VideoListener {
  /** The packet's memory is nobody else's. */
  video(stream: number, packet: VideoPacket): void
  /** The process does what no service does, and is to be ended. `reason` says what it did. */
  broken(reason: string): void
}

/** A packet as it travels, in memory of its own: what an encoder gave may be written over at once. */
export function framed(stream: number, { data, pts, key }: VideoPacket): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + data.byteLength)
  frame.writeUInt32LE(data.byteLength, 0)
  frame.writeUInt32LE(stream, 4)
  frame.writeDoubleLE(pts, 8)
  frame.writeUInt8(key ? 1 : 0, 16)
  frame.set(data, HEADER_BYTES)
  return frame
}

/**
 * The service's end, opened with the first packet: few services ever have a viewer.
 * @param lost main has closed its end, and takes no more
 */
export function videoWriter(lost: () => void): TakeVideo {
  let pipe: Socket | undefined
  return (stream, packet) => {
    pipe ??= new Socket({ fd: VIDEO_FD, readable: false, writable: true }).on('error', lost)
    pipe.write(framed(stream, packet))
  }
}

/** Main's end. @returns what takes the bytes as they come; after `broken` it takes them for nothing */
export function videoReader(listener: VideoListener): (bytes: Uint8Array) => void {
  const parts = read(listener)
  let next = parts.next()
  let filled = 0
  return (bytes) => {
    let at = 0
    while (!next.done) {
      const part = next.value
      const count = Math.min(part.length - filled, bytes.length - at)
      part.set(bytes.subarray(at, at + count), filled)
      at += count
      filled += count
      if (filled < part.length) return
      filled = 0
      next = parts.next()
    }
  }
}

/** Yields memory for what comes next, and goes on when that is full. */
function* read({ video, broken }: VideoListener): Generator<Buffer, void, void> {
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  for (;;) {
    yield header
    const length = header.readUInt32LE(0)
    const stream = header.readUInt32LE(4)
    const pts = header.readDoubleLE(8)
    const key = header.readUInt8(16)
    if (length > MAX_PACKET_BYTES || !Number.isSafeInteger(pts) || key > 1) {
      broken('sent something else than video where video belongs')
      return
    }
    const data = Buffer.allocUnsafe(length)
    yield data
    video(stream, { data, pts, key: key === 1 })
  }
}
