/**
 * IVF, the plainest container there is: a size and a time ahead of each picture. It is how pictures
 * and packets travel to the ffmpeg program with their times, which raw formats lose.
 */

/** Bytes ahead of each picture. */
export const ivfFrameHeaderBytes = 12

/** What an IVF stream says of itself; one tick of its times lasts `tick[0] / tick[1]` seconds. */
export interface IvfFormat {
  readonly fourcc: 'I420' | 'H264'
  readonly width: number
  readonly height: number
  readonly tick: readonly [number, number]
}

/** The start of a stream. */
export function ivfHeader({ fourcc, width, height, tick }: IvfFormat): Buffer {
  const header = Buffer.alloc(32)
  header.write('DKIF', 0, 'latin1')
  header.writeUInt16LE(32, 6)
  header.write(fourcc, 8, 'latin1')
  header.writeUInt16LE(width, 12)
  header.writeUInt16LE(height, 14)
  header.writeUInt32LE(tick[1], 16)
  header.writeUInt32LE(tick[0], 20)
  return header
}

/** Writes what goes ahead of a picture of `bytes` bytes to the start of `target`. `time` is in ticks. */
export function writeIvfFrameHeader(target: Buffer, bytes: number, time: number): void {
  target.writeUInt32LE(bytes, 0)
  target.writeBigInt64LE(BigInt(time), 4)
}
