import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as passed } from 'node:timers/promises'
import { promisify } from 'node:util'
import mqtt from 'mqtt'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { classColour } from '../../agent/imaging/class-colour.ts'
import { styleFor } from '../../agent/imaging/draw.ts'
import { readFrameNumber } from '../../agent/media/frame-number.ts'
import { needs, needsPython } from '../interop/needs.ts'
import { ffmpeg, gstreamer, opencv, picturesOf } from '../interop/rtsp-players.ts'
import { type AgentUnderTest, startAgentUnderTest } from './agent-under-test.ts'

const WIDTH = 640
const HEIGHT = 360
/** Numbers from one picture that is inferred to the next: far enough for the object to have moved. */
const STEP = 5
const size = { width: WIDTH, height: HEIGHT }
const players = {
  ffmpeg: { play: ffmpeg, here: needs('ffmpeg', 'ffmpeg') },
  GStreamer: { play: gstreamer, here: needs('gst-launch-1.0', 'gstreamer1.0-tools') },
  OpenCV: { play: opencv, here: needsPython('cv2', 'python3-opencv') },
}

const numberIn = (picture: Uint8Array): number =>
  readFrameNumber({
    width: WIDTH,
    height: HEIGHT,
    y: picture,
    u: picture.subarray(WIDTH * HEIGHT),
    v: picture.subarray((WIDTH * HEIGHT * 5) / 4),
    yStride: WIDTH,
    uvStride: WIDTH / 2,
  })

interface Item {
  readonly classId: number
  readonly box: readonly [number, number, number, number]
}

/** The share of an item's left edge, without its corners, that has the colour of its class. */
function edgeShare(picture: Uint8Array, { classId, box }: Item): number {
  const colour = classColour(classId)
  const { thickness } = styleFor({ width: WIDTH, height: HEIGHT })
  const column = Math.round(box[0]) + (thickness >> 1)
  const [top, bottom] = [Math.round(box[1]) + 6, Math.round(box[1] + box[3]) - 6]
  let same = 0
  for (let row = top; row < bottom; row++) {
    const chroma = (row >> 1) * (WIDTH / 2) + (column >> 1)
    const at = [row * WIDTH + column, WIDTH * HEIGHT + chroma, WIDTH * HEIGHT * 1.25 + chroma]
    if (at.every((index, plane) => Math.abs((picture[index] ?? 0) - (colour[plane] ?? 0)) < 32)) {
      same += 1
    }
  }
  return same / Math.max(1, bottom - top)
}

describe.skipIf(!needs('ffmpeg', 'ffmpeg'))('annotated video', () => {
  let agent: AgentUnderTest
  beforeAll(async () => {
    agent = await startAgentUnderTest({
      'preview.width': '320',
      'preview.maxPerSecond': '4',
      'live.viewers': '1',
    })
  }, 60_000)
  afterAll(() => agent.stop())

  it('has a URL on a retained topic as soon as there are pictures', async () => {
    await agent.ask('$cmd/service/add', {
      service: 'door',
      model: { options: { minScore: 0.03, maxItems: 1 } },
      input: {
        gate: {
          url: `synthetic:?width=${WIDTH}&height=${HEIGHT}&fps=60`,
          fps: 12,
          pace: 'realtime',
        },
      },
      compute: 'start',
    })
    const { value: stream } = await agent.next(
      'door/stream/video/gate',
      (value) => value !== undefined,
      0,
    )
    expect(stream).toMatchObject({
      protocol: 'rtsp',
      codec: 'h264',
      width: WIDTH,
      height: HEIGHT,
      viewers: 0,
    })
    expect(stream.url).toBe(`${agent.running.addresses.rtsp}/door/video/gate`)
  }, 60_000)

  it.each(Object.entries(players).filter(([, { here }]) => here))(
    'shows %s each picture with its own boxes',
    async (_, { play }) => {
      const url = `${agent.running.addresses.rtsp}/door/video/gate`
      const pictures = await play(url, 'tcp', 40, size)
      expect(pictures.length).toBeGreaterThanOrEqual(40)
      const results = new Map(
        agent.heard
          .filter(({ topic }) => topic === agent.topic('door/detections/gate'))
          .map(({ value }) => [Math.round(value.pts * 60), value] as const),
      )
      const boxes = (number: number): Item[] =>
        (results.get(number)?.items ?? []).filter(({ box }: Item) => box[3] > 40 && box[1] > 40)
      const own: number[] = []
      const neighbours: number[] = []
      for (const picture of pictures) {
        const number = numberIn(picture)
        for (const item of boxes(number)) {
          own.push(edgeShare(picture, item))
          const others = [...boxes(number - STEP), ...boxes(number + STEP)]
          const moved = others.filter(({ box }) => Math.abs(box[0] - item.box[0]) > 5)
          neighbours.push(...moved.map((other) => edgeShare(picture, other)))
        }
      }
      const visible = (shares: number[]) => shares.filter((share) => share > 0.7).length
      expect([own.length, neighbours.length].every((count) => count > 8)).toBe(true)
      expect(visible(own) / own.length).toBeGreaterThan(0.9)
      expect(visible(neighbours) / neighbours.length).toBeLessThan(0.1)
    },
    60_000,
  )

  it('tells a program that never heard of us what it is', async () => {
    await agent.next('door/stream/video/gate', (value) => value?.viewers === 0, 0)
    const { stdout } = await promisify(execFile)('ffprobe', [
      '-v',
      'error',
      '-rtsp_transport',
      'tcp',
      '-show_entries',
      'stream=codec_name,width,height',
      '-of',
      'json',
      `${agent.running.addresses.rtsp}/door/video/gate`,
    ])
    expect(JSON.parse(stdout).streams[0]).toMatchObject({
      codec_name: 'h264',
      width: WIDTH,
      height: HEIGHT,
    })
  }, 30_000)

  it('is live for browsers too, on the HTTP port, from the same stream', async () => {
    const { ws } = agent.running.addresses
    const live = new WebSocket(ws.replace('/mqtt', '/services/door/live/gate'))
    const messages: (string | Buffer)[] = []
    live.on('message', (data: Buffer, binary) => messages.push(binary ? data : data.toString()))
    await agent.next('door/stream/video/gate', (value) => value?.viewers === 1)
    await expect.poll(() => messages.length, { timeout: 10_000 }).toBeGreaterThan(5)
    const oneTooMany = new WebSocket(live.url)
    const [, refusal] = await once(oneTooMany, 'unexpected-response')
    expect(refusal.statusCode).toBe(503)
    const closed = agent.next('door/stream/video/gate', (value) => value?.viewers === 0)
    live.close()
    await closed
    const [head, init, ...fragments] = messages
    expect(JSON.parse(String(head))).toMatchObject({
      width: WIDTH,
      height: HEIGHT,
      codec: expect.stringMatching(/^avc1\./),
    })
    const file = Buffer.concat([init, ...fragments].map((part) => Buffer.from(part ?? '')))
    const probe = spawnSync(
      'ffprobe',
      [...'-v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 -'.split(' ')],
      { input: file },
    )
    expect(Number(probe.stdout.toString())).toBe(fragments.length)
  }, 30_000)

  it('shows every picture with the newest boxes, where that is asked for', async () => {
    const url = `synthetic:?width=${WIDTH}&height=${HEIGHT}&fps=15`
    agent.send('door/input/set', { gate: { url, fps: 3, pace: 'realtime' } })
    agent.send('door/model/set', { options: { minScore: 1 } })
    agent.send('door/output/set', { every: { url: 'rtsp:', overlay: 'latest' } })
    const { value: stream } = await agent.next(
      'door/stream/every/gate',
      (value) => value !== undefined,
      0,
    )
    const numbers = (await ffmpeg(stream.url, 'tcp', 30, size)).map(numberIn)
    const steps = numbers.slice(1).map((number, index) => number - (numbers[index] ?? 0))
    expect(steps.filter((step) => step === 1).length).toBeGreaterThan(22)
    agent.send('door/output/set', { every: null })
  }, 30_000)

  it('sends previews to who subscribes to them by name, as large and as often as configured', async () => {
    const watcher = await mqtt.connectAsync(agent.running.addresses.mqtt)
    const jpegs: { readonly at: number; readonly picture: Buffer }[] = []
    watcher.on('message', (_, picture) => jpegs.push({ at: performance.now(), picture }))
    const previews = () => agent.heard.filter(({ topic }) => topic.includes('/preview/'))
    // The client that hears everything is there all the time, and does not count.
    await agent.next('door/detections/gate')
    expect(previews()).toEqual([])
    await watcher.subscribeAsync(agent.topic('door/preview/gate'))
    await expect.poll(() => jpegs.length, { timeout: 10_000 }).toBeGreaterThan(7)
    await watcher.endAsync()
    const metadata = await Promise.all(jpegs.map(({ picture }) => sharp(picture).metadata()))
    for (const { format, width, height } of metadata)
      expect([format, width, height]).toEqual(['jpeg', 320, 180])
    const tookS = ((jpegs.at(-1)?.at ?? 0) - (jpegs[0]?.at ?? 0)) / 1000
    const perSecond = (jpegs.length - 1) / tookS
    expect(perSecond).toBeGreaterThan(1.5)
    expect(perSecond).toBeLessThan(4.5)
    await passed(500)
    const last = previews().length
    await passed(1000)
    expect(previews().length).toBe(last)
  }, 30_000)

  it('ends with its input', async () => {
    const ended = agent.next('door/stream/video/gate', (value) => value === undefined)
    agent.send('door/input/set', { gate: null, yard: 'synthetic:?width=320&height=180&fps=15' })
    await ended
    await agent.next('door/stream/video/yard', (value) => value?.width === 320)
    const back = agent.next('door/stream/video/gate', (value) => value?.width === WIDTH)
    const url = `synthetic:?width=${WIDTH}&height=${HEIGHT}&fps=15`
    agent.send('door/input/set', { gate: { url, pace: 'realtime' }, yard: null })
    await back
  }, 30_000)

  it('ends with its output, and nothing else does', async () => {
    const before = agent.heard.length
    agent.send('door/output/set', { video: null })
    await agent.next('door/stream/video/gate', (value) => value === undefined)
    await agent.next('door/detections/gate')
    await passed(200)
    const seqs = agent.heard
      .slice(before)
      .filter(({ topic }) => topic === agent.topic('door/detections/gate'))
      .map(({ value }) => value.seq)
    expect(seqs.slice(1).every((seq, index) => seq === seqs[index] + 1)).toBe(true)
  }, 30_000)

  it('records all of an input that ends, and shows it to its end', async () => {
    const count = 40
    const url = `synthetic:?width=${WIDTH}&height=${HEIGHT}&fps=10&frames=${count}`
    const since = agent.heard.length
    await agent.ask('$cmd/service/add', {
      service: 'short',
      // Boxes could hide numbers.
      model: { options: { minScore: 1 } },
      input: { gate: { url, pace: 'realtime' } },
      output: { video: 'rtsp:', file: 'file:short.mp4' },
      compute: 'start',
    })
    const { value: stream } = await agent.next('short/stream/video/gate', Boolean, since)
    const watched = (await ffmpeg(stream.url, 'tcp', count + 1, size)).map(numberIn)
    expect(watched.at(-1)).toBe(count - 1)
    const written = agent.next('short/output', ({ file }) => file.written === count, since)
    expect((await written).value.file.dropped).toBe(0)
    await agent.ask('$cmd/service/remove', { service: 'short' })
    const recorded = await picturesOf(join(agent.dataFolder, 'media/short.mp4'), size)
    expect(recorded.map(numberIn)).toEqual(Array.from({ length: count }, (_, index) => index))
  }, 60_000)
})
