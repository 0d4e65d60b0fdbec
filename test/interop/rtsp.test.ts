import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { showFilm, testServer } from '../agent/rtsp/harness.ts'
import { type Film, film } from '../agent/rtsp/material.ts'
import { needs, needsPython } from './needs.ts'
import {
  ffmpeg,
  ffprobe,
  gstreamer,
  opencv,
  type Player,
  type Protocol,
  picturesOf,
  sumsOf,
} from './rtsp-players.ts'

const hasFfmpeg = needs('ffmpeg', 'ffmpeg')
const hasGstreamer = needs('gst-launch-1.0', 'gstreamer1.0-tools')
const hasOpencv = needsPython('cv2', 'python3-opencv')
const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
)
const protocols: readonly Protocol[] = ['tcp', 'udp']
const pictures = 30
const users = [{ name: 'ada', password: 'secret' }]

describe.skipIf(!hasFfmpeg)('players of others', () => {
  let folder: string
  let reel: Film
  let sums: string[]
  let file: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtsp-'))
    file = join(folder, 'film.h264')
    reel = await film()
    await writeFile(file, reel.bitstream)
    sums = sumsOf(await picturesOf(file, reel.format))
    expect([sums.length, new Set(sums).size]).toEqual([reel.packets.length, sums.length])
  })
  afterAll(() => rm(folder, { recursive: true }))

  /** The numbers, within the film, of what a player saw. */
  function numbersOf(seen: readonly string[], of: readonly string[] = sums): number[] {
    return seen.map((sum) => of.indexOf(sum))
  }

  /** From a key picture on, every picture of the film; anew from a key picture where another viewer asked for one. */
  function expectFilm(numbers: readonly number[], { jumps = false } = {}): void {
    const { interval, packets } = reel
    expect(numbers.length).toBeGreaterThanOrEqual(pictures)
    expect(numbers[0]).toBeGreaterThanOrEqual(0)
    const wrong = numbers.filter((number, index) => {
      const expected = index === 0 ? 0 : ((numbers[index - 1] ?? 0) + 1) % packets.length
      const isKey = number >= 0 && number % interval === 0
      return number !== expected && !(isKey && (jumps || index === 0))
    })
    expect({ numbers, wrong }).toEqual({ numbers, wrong: [] })
  }

  const play = async (player: Player, url: string, protocol: Protocol, count = pictures) =>
    sumsOf(await player(url, protocol, count, reel.format))

  it.each(protocols)('ffprobe reads what the stream is, over %s', async (protocol) => {
    const server = await testServer()
    showFilm(server, reel)
    const { codec_name, width, height, nb_read_frames, r_frame_rate } = await ffprobe(
      server.url,
      protocol,
    )
    expect({ codec_name, width, height, r_frame_rate }).toEqual({
      ...{ codec_name: 'h264', width: 320, height: 240, r_frame_rate: '50/1' },
    })
    expect(Number(nb_read_frames)).toBeGreaterThanOrEqual(29)
  })

  it.each(protocols)('ffmpeg decodes every picture over %s', async (protocol) => {
    const server = await testServer()
    showFilm(server, reel)
    expectFilm(numbersOf(await play(ffmpeg, server.url, protocol)))
  })

  describe.skipIf(!hasGstreamer)('GStreamer', () => {
    it.each(protocols)('decodes every picture over %s', async (protocol) => {
      const server = await testServer()
      showFilm(server, reel)
      expectFilm(numbersOf(await play(gstreamer, server.url, protocol)))
    })

    it.each(protocols)('signs in over %s', async (protocol) => {
      const server = await testServer({ users })
      showFilm(server, reel)
      const url = server.url.replace('//', '//ada:secret@')
      expectFilm(numbersOf(await play(gstreamer, url, protocol)))
    })
  })

  describe.skipIf(!hasOpencv)('OpenCV', () => {
    it.each(protocols)('decodes every picture over %s', async (protocol) => {
      const server = await testServer()
      showFilm(server, reel)
      const [all, seen] = [
        await play(opencv, file, 'tcp', reel.packets.length),
        await play(opencv, server.url, protocol),
      ]
      expect(new Set(all).size).toBe(reel.packets.length)
      expectFilm(numbersOf(seen, all))
    })
  })

  it.skipIf(!hasIpv6).each(protocols)('ffmpeg signs in over IPv6 and %s', async (protocol) => {
    const server = await testServer({ host: '::1', users })
    showFilm(server, reel)
    const url = server.url.replace('//', '//ada:secret@')
    expectFilm(numbersOf(await play(ffmpeg, url, protocol)))
    await expect(play(ffmpeg, url.replace('secret', 'guess'), protocol, 1)).rejects.toThrow('401')
  })

  it('play eight at a time, over TCP and UDP', async () => {
    const server = await testServer()
    const stream = showFilm(server, reel)
    const kinds: Player[] = [ffmpeg, ...(hasGstreamer ? [gstreamer] : [])]
    const playing = Array.from({ length: 8 }, (_, index) => {
      const player = kinds[index % kinds.length] ?? ffmpeg
      return play(player, server.url, protocols[Math.floor(index / 2) % 2] ?? 'tcp', 75)
    })
    await expect.poll(() => stream.viewers, { timeout: 15_000 }).toBe(8)
    const all = await Promise.all(playing)
    expect(all).toHaveLength(8)
    for (const seen of all) expectFilm(numbersOf(seen), { jumps: true })
    await expect.poll(() => stream.viewers).toBe(0)
  })

  it('end by themselves when the stream ends', async () => {
    const server = await testServer()
    const stream = showFilm(server, reel)
    const watching = [
      play(ffmpeg, server.url, 'tcp', 10_000),
      play(ffmpeg, server.url, 'udp', 10_000),
      ...(hasGstreamer ? [play(gstreamer, server.url, 'tcp', 10_000)] : []),
    ]
    await server.lines.until(
      (lines) =>
        lines.filter(({ message }) => message === 'a viewer came').length === watching.length,
    )
    // Programs look at some pictures before they take a stream for one.
    await play(ffmpeg, server.url, 'tcp')
    stream.close()
    for (const seen of await Promise.all(watching)) {
      expect(seen.length).toBeLessThan(10_000)
    }
  })
})
