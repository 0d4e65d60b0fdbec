import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { VIDEO_CLOCK, type VideoFormat, type VideoPacket } from '../../../agent/core/video.ts'
import { mp4File } from '../../../agent/sinks/mp4-file.ts'
import {
  decodedHashes,
  hasFfmpeg,
  madeVideo,
  probedPackets,
  probedStream,
} from '../mux/made-video.ts'
import { askings, packetContext, temporaryFolder, writeAll } from './packet-harness.ts'

/** Four seconds, 30 pictures per second, a key picture every half second. */
let format: VideoFormat
let packets: readonly VideoPacket[]
let pictures: readonly string[]

describe.skipIf(!hasFfmpeg)('a recording that ends suddenly', () => {
  beforeAll(async () => {
    ;({ format, packets } = await madeVideo({ seconds: 4, keyEvery: 15 }))
    pictures = await decodedHashes(packets)
    expect(pictures).toHaveLength(120)
  })

  it('plays, up to the last quarter of a second, wherever the file is cut', async () => {
    const folder = await temporaryFolder()
    const open = mp4File({ url: `file://${folder}/x.mp4` }, packetContext(folder).context)
    const sink = await open('gate', format, askings().control)
    await writeAll(sink, packets)
    await sink.close()
    const whole = await readFile(join(folder, 'x.mp4'))
    const places = await probedPackets(join(folder, 'x.mp4'))
    const begin = (places[0]?.pos ?? 0) + (places[0]?.size ?? 0) * 8
    for (let round = 0; round < 8; round++) {
      const cut = Math.floor(begin + Math.random() * (whole.length - begin))
      const there = places.filter(({ pos, size }) => pos + size <= cut).length
      await writeFile(join(folder, 'cut.mp4'), whole.subarray(0, cut))
      const played = await decodedHashes(join(folder, 'cut.mp4')).catch(() => [])
      // The last may be half a picture, which ffmpeg repairs as it can.
      const good = played.filter((hash, index) => hash === pictures[index]).length
      expect(good, `cut at ${cut}`).toBeGreaterThanOrEqual(there - 8)
      expect(played.length - good, `cut at ${cut}`).toBeLessThanOrEqual(1)
    }
  })

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
