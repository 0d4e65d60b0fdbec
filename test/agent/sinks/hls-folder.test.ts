import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { VideoFormat, VideoPacket } from '../../../agent/core/video.ts'
import { hlsFolder } from '../../../agent/sinks/hls-folder.ts'
import { fragmentAt } from '../mux/boxes-in.ts'
import { decodedHashes, hasFfmpeg, madeVideo, probedStream } from '../mux/made-video.ts'
import { askings, packetContext, repeated, temporaryFolder, writeAll } from './packet-harness.ts'
import { checkedPlaylist, followPlaylist, type Listed } from './playlist-rules.ts'

/** Four seconds, 30 pictures per second, a key picture every second. */
let format: VideoFormat
let packets: readonly VideoPacket[]
let pictures: readonly string[]

async function hls(folder: string, more: { segmentS?: number; keep?: number } = {}) {
  const { context, counted } = packetContext(folder)
  const open = hlsFolder({ url: `file://${folder}/{input}.m3u8`, ...more }, context)
  const { control, asked } = askings()
  return { sink: await open('gate', format, control), open, asked, counted }
}

function later(video: readonly VideoPacket[], seconds: number): VideoPacket[] {
  return video.map((packet) => ({ ...packet, pts: packet.pts + seconds * 90_000 }))
}

/** The pictures from one discontinuity to the next: ffmpeg's reader of playlists does not notice other parameters. */
async function decodedParts(folder: string, segments: readonly Listed[]): Promise<string[][]> {
  const parts: Listed[][] = []
  for (const segment of segments) {
    if (segment.discontinuity || parts.length === 0) parts.push([])
    parts.at(-1)?.push(segment)
  }
  return await Promise.all(
    parts.map(async (part, index) => {
      const names = [part[0]?.map ?? '', ...part.map(({ uri }) => uri)]
      const bytes = await Promise.all(names.map((name) => readFile(join(folder, name))))
      await writeFile(join(folder, `part-${index}.mp4`), Buffer.concat(bytes))
      return await decodedHashes(join(folder, `part-${index}.mp4`))
    }),
  )
}

describe.skipIf(!hasFfmpeg)('an HLS folder', () => {
  beforeAll(async () => {
    ;({ format, packets } = await madeVideo({ seconds: 4, keyEvery: 30 }))
    pictures = await decodedHashes(packets)
    expect(pictures).toHaveLength(120)
  })

  it('shows every picture to a player', async () => {
    const folder = await temporaryFolder()
    const { sink } = await hls(folder)
    await writeAll(sink, repeated(packets, 2))
    await sink.close()
    const path = join(folder, 'gate.m3u8')
    expect(await decodedHashes(path)).toEqual([...pictures, ...pictures])
    const { segments, ended, target } = await checkedPlaylist(path)
    expect(segments.map(({ seconds }) => seconds)).toEqual([2, 2, 2, 2])
    expect({ ended, target }).toEqual({ ended: true, target: 3 })
    expect(Number((await probedStream(path)).format_duration)).toBeCloseTo(8, 2)
  })

  it('cuts at key pictures, which it asks for a picture ahead', async () => {
    const folder = await temporaryFolder()
    const { sink, asked } = await hls(folder)
    const asksAt: number[] = []
    for (const packet of packets) {
      const before = asked.keys
      await sink.write(packet)
      if (asked.keys > before) asksAt.push(packet.pts / 3000)
    }
    await sink.close()
    expect(asksAt).toEqual([59, 119])
    for (const name of (await readdir(folder)).filter((file) => file.endsWith('.m4s'))) {
      const { samples } = fragmentAt(await readFile(join(folder, name)))
      expect(samples).toHaveLength(60)
      expect(samples[0]?.key).toBe(true)
    }
  })

  it('is valid at every moment, and slides', async () => {
    const folder = await temporaryFolder()
    const { sink } = await hls(folder, { keep: 3, segmentS: 1 })
    const path = join(folder, 'gate.m3u8')
    const following = followPlaylist(path)
    for (const packet of repeated(packets, 5)) {
      await sink.write(packet)
      if (packet.pts % 15_000 === 0) await following.look()
    }
    await sink.close()
    await following.look()
    const seen = following.seen()
    expect(seen.looks).toBeGreaterThan(20)
    expect(seen.versions).toBeGreaterThan(3)
    const { sequence, segments } = await checkedPlaylist(path)
    expect(segments).toHaveLength(3)
    expect(sequence).toBe(17)
    // Three segments, and as many as players may still be reading: four seconds of target two.
    const files = (await readdir(folder)).filter((name) => name.endsWith('.m4s'))
    expect(files.length).toBeGreaterThanOrEqual(3 + 3)
    expect(files.length).toBeLessThanOrEqual(3 + 8)
    expect(await decodedHashes(path)).toEqual(pictures.slice(30))
  })

  it('goes on after a restart, with a discontinuity', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'gate.m3u8')
    const first = await hls(folder)
    const following = followPlaylist(path)
    await writeAll(first.sink, packets)
    await first.sink.close()
    await following.look()
    await writeFile(join(folder, 'gate.99.m4s.part'), 'left behind')
    await writeFile(join(folder, 'gate.x.m4s'), "somebody else's")
    const second = await hls(folder)
    await writeAll(second.sink, packets)
    await second.sink.close()
    const { segments, sequence } = await checkedPlaylist(path)
    expect(sequence).toBe(0)
    expect(segments.map(({ discontinuity }) => discontinuity)).toEqual([false, false, true, false])
    expect(new Set(segments.map(({ map }) => map)).size).toBe(2)
    const names = await readdir(folder)
    expect(names).toContain('gate.x.m4s')
    expect(names.filter((name) => name.endsWith('.part'))).toEqual([])
    expect(segments.map(({ uri }) => uri)).toEqual([0, 1, 2, 3].map((n) => `gate.${n}.m4s`))
    expect(await decodedParts(folder, segments)).toEqual([pictures, pictures])
  })

  it('starts over with new numbers when its segments are gone', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'gate.m3u8')
    const first = await hls(folder)
    await writeAll(first.sink, packets)
    await first.sink.close()
    const second = await hls(folder, { segmentS: 4 })
    await writeAll(second.sink, packets)
    await second.sink.close()
    const { segments, sequence, target } = await checkedPlaylist(path)
    expect({ sequence, target }).toEqual({ sequence: 2, target: 5 })
    expect(segments.map(({ uri }) => uri)).toEqual(['gate.2.m4s'])
    const names = (await readdir(folder)).toSorted()
    expect(names).toEqual(['gate.2.init.mp4', 'gate.2.m4s', 'gate.m3u8'])
  })

  it('says so when the parameters of the stream change', async () => {
    const folder = await temporaryFolder()
    const other = await madeVideo({ seconds: 2, keyEvery: 30, profile: 'baseline' })
    const { sink } = await hls(folder)
    await writeAll(sink, packets)
    await writeAll(sink, later(other.packets, 4))
    await sink.close()
    const path = join(folder, 'gate.m3u8')
    const { segments } = await checkedPlaylist(path)
    expect(segments.map(({ discontinuity }) => discontinuity)).toEqual([false, false, true])
    expect(await decodedParts(folder, segments)).toEqual([
      pictures,
      await decodedHashes(other.packets),
    ])
  })

  it('keeps its promise on lengths where key pictures do not come', async () => {
    const folder = await temporaryFolder()
    const { sink } = await hls(folder)
    const oneKey = repeated(packets, 4).map((packet, index) => ({ ...packet, key: index === 0 }))
    await writeAll(sink, oneKey)
    await sink.close()
    const { segments } = await checkedPlaylist(join(folder, 'gate.m3u8'))
    expect(segments.length).toBeGreaterThan(4)
    expect(await decodedHashes(join(folder, 'gate.m3u8'))).toHaveLength(480)
  })

  it.each([0.5, 1, 4])('keeps its promise on lengths with a picture each %d s', async (step) => {
    const folder = await temporaryFolder()
    const { sink, asked } = await hls(folder)
    let keys = asked.keys
    const [first] = packets
    for (let index = 0; first && index < 20; index++) {
      const key = asked.keys > keys || index === 0
      keys = asked.keys
      await sink.write({ ...first, key, pts: index * step * 90_000 })
    }
    await sink.close()
    const { segments } = await checkedPlaylist(join(folder, 'gate.m3u8'))
    expect(segments.length).toBeGreaterThan(4)
  })

  it('is for one input at a time', async () => {
    const folder = await temporaryFolder()
    const { context } = packetContext(folder)
    const open = hlsFolder({ url: `file://${folder}/x.m3u8` }, context)
    const one = await open('gate', format, askings().control)
    await expect(open('yard', format, askings().control)).rejects.toMatchObject({
      code: 'SINK_FAILED',
      message: expect.stringContaining('{input}'),
    })
    await one.close()
    const other = await open('yard', format, askings().control)
    await other.close()
  })
})
