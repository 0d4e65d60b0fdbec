import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { VIDEO_CLOCK, type VideoFormat, type VideoPacket } from '../../../agent/core/video.ts'
import { mp4File } from '../../../agent/sinks/mp4-file.ts'
import { boxesIn } from '../mux/boxes-in.ts'
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

const page = 4096

function pagesBetween(from: number, to: number): number[] {
  const count = Math.floor((to - from) / page)
  return Array.from({ length: count }, (_, index) => (Math.floor(from / page) + 1 + index) * page)
}

/** The path of a recording of these packets. */
async function recorded(video: readonly VideoPacket[]): Promise<string> {
  const folder = await temporaryFolder()
  const open = mp4File({ url: `file://${folder}/x.mp4` }, packetContext(folder).context)
  const sink = await open('gate', format, askings().control)
  await writeAll(sink, video)
  await sink.close()
  return join(folder, 'x.mp4')
}

describe.skipIf(!hasFfmpeg)('a recording that ends suddenly', () => {
  beforeAll(async () => {
    ;({ format, packets } = await madeVideo({ seconds: 4, keyEvery: 15 }))
    pictures = await decodedHashes(packets)
    expect(pictures).toHaveLength(120)
  })

  it('has no head of a fragment across two pages, where it could be torn', async () => {
    const whole = await readFile(await recorded(repeated(packets, 40)))
    let [at, heads, gaps] = [0, 0, 0]
    for (const { type, content } of boxesIn(whole)) {
      const end = at + 8 + content.length
      if (type === 'moof') {
        expect(Math.floor(at / page), `moof at ${at}`).toBe(Math.floor((end - 1) / page))
        heads += 1
      }
      if (type === 'free') gaps += 1
      at = end
    }
    expect(heads).toBeGreaterThan(500)
    // A head is about a twentieth of a page.
    expect(gaps).toBeGreaterThan(5)
  })

  it.each(['is cut off', 'is empty'])(
    'plays, up to the last quarter of a second, when what follows a page %s',
    async (how) => {
      const file = await recorded(packets.slice(0, 40))
      const whole = await readFile(file)
      const places = await probedPackets(file)
      const begin = (places[8]?.pos ?? 0) + (places[8]?.size ?? 0)
      const cuts = pagesBetween(begin, whole.length)
      expect(cuts.length).toBeGreaterThan(8)
      for (const cut of cuts) {
        const there = places.filter(({ pos, size }) => pos + size <= cut).length
        const rest = how === 'is empty' ? whole.length - cut : 0
        await writeFile(file, Buffer.concat([whole.subarray(0, cut), Buffer.alloc(rest)]))
        const played = await decodedHashes(file)
        const bad = played.findIndex((hash, index) => hash !== pictures[index])
        const good = bad < 0 ? played.length : bad
        expect(good, `cut at ${cut}`).toBeGreaterThanOrEqual(there - 8)
        // The last fragment's pictures may be damaged, which ffmpeg mends as it can.
        expect(played.length - good, `cut at ${cut}`).toBeLessThanOrEqual(8)
      }
    },
  )

  it('loses less than a second by kill -9', async () => {
    const folder = await temporaryFolder()
    const given = join(await temporaryFolder(), 'packets.json')
    const encoded = packets.map(({ data, ...rest }) => ({
      ...rest,
      data: Buffer.from(data).toString('base64'),
    }))
    await writeFile(given, JSON.stringify({ format, packets: encoded }))
    const program = fileURLToPath(new URL('./record-for-ever.ts', import.meta.url))
    const args = ['--import', 'tsx', program, folder, given]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const exit = once(child, 'exit')
    onTestFinished(() => void child.kill('SIGKILL'))
    let last = 0
    for await (const line of createInterface(child.stdout)) {
      last = Number(line)
      if (last > 2.1 * VIDEO_CLOCK) child.kill('SIGKILL')
    }
    expect(await exit).toEqual([null, 'SIGKILL'])
    const seconds = Number((await probedStream(join(folder, 'a.mp4'))).format_duration)
    expect(last / VIDEO_CLOCK - seconds).toBeLessThan(1)
    const played = await decodedHashes(join(folder, 'a.mp4'))
    expect(played).toEqual(pictures.slice(0, played.length))
    expect(played.length).toBeGreaterThan(33)
  })
})
