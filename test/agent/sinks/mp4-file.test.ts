import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { AgentError } from '../../../agent/core/errors.ts'
import type { VideoFormat, VideoPacket } from '../../../agent/core/video.ts'
import { mp4File } from '../../../agent/sinks/mp4-file.ts'
import {
  decodedHashes,
  hasFfmpeg,
  madeVideo,
  probedPackets,
  probedStream,
} from '../mux/made-video.ts'
import { askings, packetContext, repeated, temporaryFolder, writeAll } from './packet-harness.ts'

/** Four seconds, 30 pictures per second, a key picture every half second. */
let format: VideoFormat
let packets: readonly VideoPacket[]
let pictures: readonly string[]

const inOrder = new Intl.Collator('en', { numeric: true }).compare

async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).toSorted((one, other) =>
    inOrder(one.replace('.mp4', ''), other.replace('.mp4', '')),
  )
}

async function hashesIn(folder: string): Promise<string[]> {
  const hashes: string[] = []
  for (const name of await filesIn(folder))
    hashes.push(...(await decodedHashes(join(folder, name))))
  return hashes
}

describe.skipIf(!hasFfmpeg)('a recording', () => {
  beforeAll(async () => {
    ;({ format, packets } = await madeVideo({ seconds: 4, keyEvery: 15 }))
    pictures = await decodedHashes(packets)
    expect(pictures).toHaveLength(120)
  })

  it('holds every picture, once it is closed', async () => {
    const folder = await temporaryFolder()
    const { control, asked } = askings()
    const { context, counted } = packetContext(folder)
    const open = mp4File({ url: `file://${folder}/{input}/x.mp4` }, context)
    const sink = await open('gate', format, control)
    await writeAll(sink, packets)
    await sink.close()
    const file = join(folder, 'gate', 'x.mp4')
    expect(await decodedHashes(file)).toEqual(pictures)
    expect(Number((await probedStream(file)).format_duration)).toBeCloseTo(4, 2)
    expect(asked.wanted).toEqual([true, false])
    expect(counted.dropped).toBe(0)
  })

  it('begins with a key picture, at 0', async () => {
    const folder = await temporaryFolder()
    const { context, counted } = packetContext(folder)
    const sink = await mp4File({ url: `file://${folder}/x.mp4` }, context)(
      'gate',
      format,
      askings().control,
    )
    await writeAll(sink, packets.slice(7))
    await sink.close()
    const [first] = await probedPackets(join(folder, 'x.mp4'))
    expect(first).toMatchObject({ pts: 0, flags: expect.stringMatching(/^K/) })
    expect(await decodedHashes(join(folder, 'x.mp4'))).toEqual(pictures.slice(15))
    expect(counted.dropped).toBe(8)
  })

  it('makes no file without pictures', async () => {
    const folder = await temporaryFolder()
    const open = mp4File({ url: `file://${folder}/x.mp4` }, packetContext(folder).context)
    const sink = await open('gate', format, askings().control)
    await sink.close()
    expect(await filesIn(folder)).toEqual([])
  })

  it('does not wait for the next picture to write the last ones', async () => {
    const folder = await temporaryFolder()
    const open = mp4File({ url: `file://${folder}/x.mp4` }, packetContext(folder).context)
    const sink = await open('gate', format, askings().control)
    onTestFinished(() => sink.close())
    await writeAll(sink, packets.slice(0, 3))
    const size = packets.slice(0, 3).reduce((sum, { data }) => sum + data.length, 0)
    await expect
      .poll(async () => (await stat(join(folder, 'x.mp4')).catch(() => undefined))?.size)
      .toBeGreaterThan(size)
    expect(await decodedHashes(join(folder, 'x.mp4'))).toEqual(pictures.slice(0, 3))
  })

  it('goes on in a new file after its time, with a key picture that it asked for', async () => {
    const folder = await temporaryFolder()
    const { control, asked } = askings()
    const { context } = packetContext(folder)
    const open = mp4File({ url: `file://${folder}/x.mp4`, segmentS: 1 }, context)
    const sink = await open('gate', format, control)
    const asksAt: number[] = []
    for (const { pts, ...rest } of packets) {
      const before = asked.keys
      await sink.write({ pts, ...rest })
      if (asked.keys > before) asksAt.push(pts / 3000)
    }
    await sink.close()
    // The picture before the one that is due, so that this one can be a key picture.
    expect(asksAt).toEqual([29, 59, 89, 119])
    expect(await filesIn(folder)).toEqual(['x.mp4', 'x.1.mp4', 'x.2.mp4', 'x.3.mp4'])
    expect(await hashesIn(folder)).toEqual(pictures)
    for (const name of await filesIn(folder)) {
      const [first] = await probedPackets(join(folder, name))
      expect(first?.pts).toBe(0)
      expect(first?.flags).toMatch(/^K/)
    }
  })

  it('goes on in a new file when one is full', async () => {
    const folder = await temporaryFolder()
    const maxBytes = 100_000
    const { context } = packetContext(folder)
    const open = mp4File({ url: `file://${folder}/{input}-{time}.mp4`, maxBytes }, context)
    const sink = await open('gate', format, askings().control)
    const many = repeated(packets, 3)
    await writeAll(sink, many)
    await sink.close()
    const names = await filesIn(folder)
    expect(names.length).toBeGreaterThan(3)
    expect(
      names.filter((name) => !/^gate-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(\.\d+)?\.mp4$/.test(name)),
    ).toEqual([])
    const sizes = await Promise.all(
      names.map(async (name) => (await stat(join(folder, name))).size),
    )
    expect(sizes.slice(0, -1).every((size) => size >= maxBytes && size < 2 * maxBytes)).toBe(true)
    expect(await hashesIn(folder)).toEqual([...pictures, ...pictures, ...pictures])
  })

  it('goes on in a new file when the parameters of the stream change', async () => {
    const folder = await temporaryFolder()
    const other = await madeVideo({ seconds: 1, keyEvery: 15, profile: 'baseline' })
    const open = mp4File({ url: `file://${folder}/x.mp4` }, packetContext(folder).context)
    const sink = await open('gate', format, askings().control)
    await writeAll(sink, packets)
    await writeAll(
      sink,
      other.packets.map((packet) => ({ ...packet, pts: packet.pts + 360_000 })),
    )
    await sink.close()
    expect(await filesIn(folder)).toEqual(['x.mp4', 'x.1.mp4'])
    expect(await decodedHashes(join(folder, 'x.mp4'))).toEqual(pictures)
    expect(await decodedHashes(join(folder, 'x.1.mp4'))).toEqual(await decodedHashes(other.packets))
  })

  it('never touches a file that is there', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'x.mp4'), 'precious')
    await writeFile(join(folder, 'x.7.mp4'), 'precious')
    const open = mp4File({ url: `file://${folder}/x.mp4` }, packetContext(folder).context)
    const sink = await open('gate', format, askings().control)
    await writeAll(sink, packets)
    await sink.close()
    expect(await filesIn(folder)).toEqual(['x.mp4', 'x.7.mp4', 'x.8.mp4'])
    expect(await readFile(join(folder, 'x.mp4'), 'utf8')).toBe('precious')
    expect(await decodedHashes(join(folder, 'x.8.mp4'))).toEqual(pictures)
  })

  it('deletes the oldest of its own files only', async () => {
    const folder = await temporaryFolder()
    const others = [
      'gate-1.mp4',
      'gate2.mp4',
      'gate.txt',
      'gate.1.mp4.old',
      'yard.mp4',
      'gate.x.mp4',
    ]
    for (const name of [...others, 'gate.mp4', 'gate.9.mp4', 'gate.10.mp4']) {
      await writeFile(join(folder, name), name)
    }
    await symlink(join(folder, 'yard.mp4'), join(folder, 'gate.3.mp4'))
    const { context } = packetContext(folder)
    const url = `file://${folder}/{input}.mp4`
    const sink = await mp4File({ url, segmentS: 1, keep: 3 }, context)(
      'gate',
      format,
      askings().control,
    )
    await writeAll(sink, packets.slice(0, 60))
    await sink.close()
    const expected = [...others, 'gate.3.mp4', 'gate.10.mp4', 'gate.11.mp4', 'gate.12.mp4']
    expect((await readdir(folder)).toSorted()).toEqual(expected.toSorted())
  })

  it('keeps to its files where times name folders', async () => {
    const folder = await temporaryFolder()
    const { context } = packetContext(folder)
    const url = `file://${folder}/{time}/{input}/x.mp4`
    const sink = await mp4File({ url, segmentS: 1, keep: 2 }, context)(
      'gate',
      format,
      askings().control,
    )
    await writeAll(sink, packets)
    await sink.close()
    const found = await readdir(folder, { recursive: true, withFileTypes: true })
    expect(found.filter((entry) => entry.isFile())).toHaveLength(2)
  })

  it('stops while the disk is too full, and can be opened when there is room', async () => {
    const folder = await temporaryFolder()
    const { context } = packetContext(folder)
    const disk = { isFull: false }
    const check = async () => {
      if (disk.isFull) throw new AgentError('SINK_FAILED', 'full', { retryable: true })
    }
    const open = mp4File({ url: `file://${folder}/x.mp4` }, context, () => ({ check }))
    const sink = await open('gate', format, askings().control)
    await writeAll(sink, packets.slice(0, 60))
    disk.isFull = true
    const failed = { code: 'SINK_FAILED', retryable: true }
    await expect(forEver(() => writeAll(sink, packets.slice(60)))).rejects.toMatchObject(failed)
    await sink.close()
    await expect(open('gate', format, askings().control)).rejects.toMatchObject(failed)
    disk.isFull = false
    const again = await open('gate', format, askings().control)
    await writeAll(again, packets)
    await again.close()
    expect(await decodedHashes(join(folder, 'x.1.mp4'))).toEqual(pictures)
    const before = await decodedHashes(join(folder, 'x.mp4')).catch(() => [])
    expect(before).toEqual(pictures.slice(0, before.length))
  })

  it('goes nowhere but below the media folder', async () => {
    const folder = await temporaryFolder()
    const { context } = packetContext(folder)
    const code = 'SINK_FORBIDDEN'
    expect(() => mp4File({ url: 'file:///etc/x.mp4' }, context)).toThrow(
      expect.objectContaining({ code }),
    )
    expect(() => mp4File({ url: `file://${folder}/../x.mp4` }, context)).toThrow(
      expect.objectContaining({ code }),
    )
    const elsewhere = await temporaryFolder()
    await symlink(elsewhere, join(folder, 'link'))
    const open = mp4File({ url: `file://${folder}/link/x.mp4` }, context)
    await expect(open('gate', format, askings().control)).rejects.toMatchObject({ code })
  })
})

/** Does something again and again, until it fails. */
async function forEver(work: () => Promise<void>): Promise<never> {
  for (;;) {
    await work()
    await new Promise((resolve) => setImmediate(resolve))
  }
}
