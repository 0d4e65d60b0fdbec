import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { VideoFormat, VideoPacket } from '../../../agent/core/video.ts'
import { fragment, initFollower, samplesUntil } from '../../../agent/mux/fmp4.ts'
import { parameterSets } from '../../../agent/mux/h264.ts'
import { boxAt, boxesIn, fragmentAt, unitTypesIn } from './boxes-in.ts'
import { decodedHashes, hasFfmpeg, madeVideo, probedPackets, probedStream } from './made-video.ts'

let format: VideoFormat
let packets: readonly VideoPacket[]

async function fileOf(name: string, ...parts: Uint8Array[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fmp4-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, name)
  await writeFile(path, Buffer.concat(parts))
  return path
}

/** A whole file, with so many packets a fragment. */
function muxed(video: { format: VideoFormat; packets: readonly VideoPacket[] }, each: number) {
  const first = video.packets[0]
  const init = first && initFollower(video.format)(first)
  if (!init) throw new Error('no parameter sets')
  const parts = [init.bytes]
  for (let at = 0; at < video.packets.length; at += each) {
    const group = video.packets.slice(at, at + each)
    const end = video.packets[at + each]?.pts ?? (group.at(-1)?.pts ?? 0) + 3000
    const samples = samplesUntil(group, end)
    parts.push(fragment({ sequence: parts.length, time: group[0]?.pts ?? 0, samples }))
  }
  return parts
}

describe.skipIf(!hasFfmpeg)('fragmented MP4', () => {
  beforeAll(async () => {
    ;({ format, packets } = await madeVideo({ seconds: 2, keyEvery: 15 }))
  })

  it.each([1, 7, 60])('decodes to the pictures of its packets, %i to a fragment', async (each) => {
    const file = await fileOf('a.mp4', ...muxed({ format, packets }, each))
    const expected = await decodedHashes(packets)
    expect(expected).toHaveLength(60)
    expect(await decodedHashes(file)).toEqual(expected)
  })

  it.each(['baseline', 'main', 'high'] as const)('says what a %s stream is', async (profile) => {
    const video = await madeVideo({ seconds: 0.2, keyEvery: 15, profile, width: 642, height: 362 })
    const said = await probedStream(await fileOf('a.mp4', ...muxed(video, 3)))
    const names = { baseline: 'Constrained Baseline', main: 'Main', high: 'High' }
    expect(said).toMatchObject({
      codec_name: 'h264',
      codec_tag_string: 'avc1',
      is_avc: 'true',
      width: 642,
      height: 362,
      time_base: '1/90000',
    })
    expect(said.profile).toBe(names[profile])
  })

  it('keeps times, durations and key pictures', async () => {
    const uneven = packets.map((packet, index) => ({ ...packet, pts: index * index * 100 }))
    const parts = muxed({ format, packets: uneven }, 4)
    const probed = await probedPackets(await fileOf('a.mp4', ...parts))
    expect(probed.map(({ pts }) => pts)).toEqual(uneven.map(({ pts }) => pts))
    // ffprobe shows the frame rate of the SPS instead.
    const durations = parts.slice(1).flatMap((part) => fragmentAt(part).samples)
    expect(durations.map(({ duration }) => duration)).toEqual(
      uneven.map(({ pts }, index) => (uneven[index + 1]?.pts ?? pts + 3000) - pts),
    )
    expect(probed.map(({ flags }) => flags.startsWith('K'))).toEqual(uneven.map(({ key }) => key))
    expect(probed.filter(({ flags }) => flags.startsWith('K'))).toHaveLength(4)
  })

  it('counts times beyond 32 bits', async () => {
    const [init = new Uint8Array()] = muxed({ format, packets }, 1)
    const samples = samplesUntil(packets.slice(0, 1), 3000)
    const late = fragment({ sequence: 1, time: 2 ** 40 + 5, samples })
    const [packet] = await probedPackets(await fileOf('a.mp4', init, late))
    expect(packet?.pts).toBe(2 ** 40 + 5)
  })

  it('has the parameter sets ahead of the samples, and not in them', () => {
    const [init = new Uint8Array(), ...fragments] = muxed({ format, packets }, 5)
    const { sps, pps } = parameterSets(packets[0]?.data ?? new Uint8Array()) ?? {}
    if (!sps || !pps) throw new Error('no parameter sets')
    expect(boxesIn(init).map(({ type }) => type)).toEqual(['ftyp', 'moov'])
    expect(Buffer.from(init).indexOf(sps)).toBeGreaterThan(0)
    expect(Buffer.from(init).indexOf(pps)).toBeGreaterThan(0)
    const types = new Set(fragments.flatMap(unitTypesIn))
    expect(types).toContain(5)
    expect(types).toContain(1)
    expect([...types].filter((type) => type >= 7)).toEqual([])
  })

  it('refers to its samples from the fragment itself', () => {
    for (const part of muxed({ format, packets }, 5).slice(1)) {
      const [moof, mdat] = boxesIn(part)
      const offset = boxAt(part, 'moof/traf/trun').readUInt32BE(8)
      expect(offset).toBe((moof?.content.length ?? 0) + 8 + 8)
      expect(offset + (mdat?.content.length ?? 0)).toBe(part.length)
    }
  })

  it('begins anew only with other parameter sets', async () => {
    const other = await madeVideo({ seconds: 0.1, keyEvery: 15, width: 640 })
    const [firstOther] = other.packets
    if (!firstOther) throw new Error('no packets')
    const follow = initFollower(format)
    const inits = packets.map((packet) => follow(packet) !== undefined)
    expect(inits.filter(Boolean)).toHaveLength(1)
    expect(inits[0]).toBe(true)
    expect(follow(firstOther)?.codec).toMatch(/^avc1\.64[0-9a-f]{4}$/)
    expect(follow(firstOther)).toBeUndefined()
  })
})
