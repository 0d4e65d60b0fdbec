import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type NutPacket, nutDemuxer } from '../../../agent/media/nut.ts'
import { picturePool } from '../../../agent/media/picture-pool.ts'
import { pictureQueue } from '../../../agent/media/picture-queue.ts'
import { clip, hasFfmpeg } from './clips.ts'

const pattern = ['-f', 'lavfi', '-i', 'testsrc2=size=96x64:rate=25:duration=4']
const raw = ['-c:v', 'rawvideo', '-pix_fmt', 'yuv420p']
const pictureBytes = 96 * 64 * 1.5

function packetsIn(path: string, piece: number): NutPacket[] {
  const packets: NutPacket[] = []
  const demuxer = nutDemuxer({
    allocate: (bytes) => Buffer.alloc(bytes),
    take: (packet) => packets.push(packet),
  })
  const bytes = readFileSync(path)
  for (let at = 0; at < bytes.length; at += piece) demuxer.write(bytes.subarray(at, at + piece))
  return packets
}

/** `time,size,flags` of each packet, as ffprobe reads them. */
function packetsByFfprobe(path: string): string[] {
  const entries = ['-show_entries', 'packet=pts_time,size,flags', '-of', 'csv=p=0', path]
  return execFileSync('ffprobe', ['-v', 'error', ...entries])
    .toString()
    .trim()
    .split('\n')
}

describe.skipIf(!hasFfmpeg)('a NUT stream', () => {
  it.each([
    ['raw.nut', raw],
    ['h264.nut', ['-c:v', 'libx264', '-bf', '0', '-g', '20']],
    ['mpeg4.nut', ['-c:v', 'mpeg4']],
  ])('%s gives the packets that ffprobe reads, however it is cut up', (name, codec) => {
    const path = clip(name, ...pattern, ...codec)
    const expected = packetsByFfprobe(path)
    expect(expected).toHaveLength(100)
    for (const piece of [1, 777, 1 << 20]) {
      const seen = packetsIn(path, piece).map(
        ({ time, data, key }) => `${time.toFixed(6)},${data.length},${key ? 'K_' : '__'}`,
      )
      expect(seen).toEqual(expected)
    }
  })

  it('gives the bytes that ffmpeg gives without it', () => {
    const path = clip('bytes.nut', ...pattern, '-c:v', 'mpeg4', '-bf', '0')
    const plain = execFileSync('ffmpeg', [
      ...['-v', 'error', '-i', path, '-c', 'copy', '-f', 'data', '-map', '0:v', '-'],
    ])
    const data = packetsIn(path, 4096).map((packet) => packet.data)
    expect(Buffer.concat(data).equals(plain)).toBe(true)
  })

  it('is refused when it is none', () => {
    const demuxer = nutDemuxer({ allocate: Buffer.alloc, take: () => undefined })
    expect(() => demuxer.write(Buffer.alloc(100))).toThrow('no header')
  })
})

describe.skipIf(!hasFfmpeg)('a queue of pictures', () => {
  const path = () => clip('queue.nut', ...pattern, ...raw)

  it('takes no more than two pictures before one is taken from it', async () => {
    const pool = picturePool(96, 64)
    const queue = pictureQueue(pool)
    const bytes = readFileSync(path())
    let taken = 0
    const writeAll = (async () => {
      for (let at = 0; at < bytes.length; at += pictureBytes) {
        const piece = bytes.subarray(at, at + pictureBytes)
        await new Promise((resolve) => queue.stream.write(piece, resolve))
        taken += piece.length
      }
      queue.end()
    })()
    await new Promise((resolve) => setImmediate(resolve))
    const ahead = taken
    expect(ahead).toBeGreaterThan(0)
    expect(ahead).toBeLessThanOrEqual(3 * pictureBytes)
    const times: number[] = []
    for (let next = await queue.next(); next; next = await queue.next()) {
      times.push(next.pts)
      pool.giveBack(next.picture)
    }
    await writeAll
    expect(times).toHaveLength(100)
  })

  it('fails its stream for bytes that are no pictures', async () => {
    const queue = pictureQueue(picturePool(96, 64))
    const failed = new Promise<Error>((resolve) => queue.stream.once('error', resolve))
    queue.stream.write(Buffer.alloc(100))
    expect(await failed).toMatchObject({ code: 'INTERNAL' })
  })
})
