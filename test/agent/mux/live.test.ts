import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { VideoFormat, VideoPacket } from '../../../agent/core/video.ts'
import { liveViewer } from '../../../agent/mux/live.ts'
import { boxesIn, fragmentAt } from './boxes-in.ts'
import { decodedHashes, hasFfmpeg, madeVideo } from './made-video.ts'

let format: VideoFormat
let packets: readonly VideoPacket[]

/** Packets at times of one's own, in 1/90000 s. */
function at(times: readonly number[]): VideoPacket[] {
  return times.flatMap((pts, index) => {
    const packet = packets[index]
    return packet ? [{ ...packet, pts }] : []
  })
}

function isBytes(message: string | Uint8Array): message is Uint8Array {
  return typeof message !== 'string'
}

/** The fragments among messages. */
function fragmentsOf(messages: readonly (string | Uint8Array)[]) {
  return messages
    .filter(isBytes)
    .filter((bytes) => boxesIn(bytes)[0]?.type === 'moof')
    .map((bytes) => {
      const { time, samples } = fragmentAt(bytes)
      const [sample] = samples
      expect(samples).toHaveLength(1)
      return { time, duration: sample?.duration ?? 0, key: sample?.key ?? false }
    })
}

describe.skipIf(!hasFfmpeg)('a live viewer', () => {
  beforeAll(async () => {
    ;({ format, packets } = await madeVideo({ seconds: 2, keyEvery: 15 }))
  })

  it('is told what comes, then gets one fragment a packet', () => {
    const viewer = liveViewer(format)
    const [head, init, ...first] = packets[0] ? viewer.take(packets[0]) : []
    expect(JSON.parse(String(head))).toEqual({
      codec: expect.stringMatching(/^avc1\.64[0-9a-f]{4}$/),
      mime: `video/mp4; codecs="${JSON.parse(String(head)).codec}"`,
      width: 320,
      height: 240,
      fps: 30,
    })
    expect(init && isBytes(init) && boxesIn(init).map(({ type }) => type)).toEqual(['ftyp', 'moov'])
    expect(fragmentsOf(first)).toEqual([{ time: 0, duration: 3000, key: true }])
    expect(packets.slice(1).map((packet) => viewer.take(packet).length)).toEqual(Array(59).fill(1))
  })

  it('begins with the next key picture, at 0', () => {
    const viewer = liveViewer(format)
    const late = packets.slice(4).map((packet) => fragmentsOf(viewer.take(packet)))
    expect(late.slice(0, 11).flat()).toEqual([])
    expect(late[11]).toEqual([{ time: 0, duration: 3000, key: true }])
    expect(late[12]).toEqual([{ time: 3000, duration: 3000, key: false }])
  })

  it('goes on with a key picture and without a gap when something was skipped', async () => {
    const viewer = liveViewer(format)
    const taken = packets.map((packet, index) => {
      if (index === 20) viewer.skip()
      return viewer.take(packet)
    })
    const counts = taken.map((messages) => fragmentsOf(messages).length)
    expect(counts).toEqual(packets.map((_, index) => (index >= 20 && index < 30 ? 0 : 1)))
    const fragments = fragmentsOf(taken.flat())
    expect(fragments[20]?.key).toBe(true)
    const folder = await mkdtemp(join(tmpdir(), 'live-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await writeFile(join(folder, 'a.mp4'), Buffer.concat(taken.flat().filter(isBytes)))
    const shown = [...packets.slice(0, 20), ...packets.slice(30)]
    const expected = await decodedHashes(shown)
    expect(expected).toHaveLength(50)
    expect(await decodedHashes(join(folder, 'a.mp4'))).toEqual(expected)
  })

  it.each([
    ['even', (index: number) => index * 3000],
    ['every other picture late', (index: number) => index * 3000 + (index % 2) * 2000],
    ['slower than announced', (index: number) => index * 18_000],
    ['with a pause', (index: number) => index * 3000 + (index > 20 ? 180_000 : 0)],
    [
      'with a short pause each second',
      (index: number) => index * 3000 + Math.floor(index / 30) * 45_000,
    ],
    ['ever slower', (index: number) => index ** 3 * 100],
  ])('never steps further than a browser follows, times being %s', (_, time) => {
    const viewer = liveViewer(format)
    const messages = at(packets.map((_packet, index) => time(index))).flatMap((p) => viewer.take(p))
    const fragments = fragmentsOf(messages)
    expect(fragments).toHaveLength(60)
    for (const [index, { time: begin }] of fragments.entries()) {
      const before = fragments[index - 1]
      if (!before) continue
      expect(begin).toBeGreaterThan(before.time)
      expect(begin - before.time).toBeLessThanOrEqual(2 * before.duration)
    }
  })

  it('keeps the pace of a stream that is slower than announced', () => {
    const viewer = liveViewer(format)
    const messages = at(packets.map((_, index) => index * 18_000)).flatMap((p) => viewer.take(p))
    const fragments = fragmentsOf(messages)
    const steps = fragments.slice(1).map(({ time }, index) => time - (fragments[index]?.time ?? 0))
    expect(steps.slice(5)).toEqual(Array(steps.length - 5).fill(18_000))
  })
})
