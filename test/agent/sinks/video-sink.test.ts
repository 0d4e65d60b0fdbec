import { describe, expect, it } from 'vitest'
import type { Delivered, Sink } from '../../../agent/core/stages.ts'
import type { VideoFormat, VideoPacket } from '../../../agent/core/video.ts'
import type { MediaEngine } from '../../../agent/media/engine.ts'
import { liveFrames } from '../../../agent/media/frame-count.ts'
import { nodeAvEngine } from '../../../agent/media/node-av.ts'
import { rgbFrame } from '../../../agent/media/rgb-frame.ts'
import { type StreamControl, videoSink } from '../../../agent/sinks/video-sink.ts'
import type { OutputSpec } from '../../../schemas/control.ts'
import { result, sinkContext } from './surroundings.ts'

/** The real engine, counting its encoders. */
function countedEngine() {
  const count = { opened: 0, open: 0, pictures: 0 }
  const real = nodeAvEngine()
  const engine: MediaEngine = {
    ...real,
    async encode(options) {
      const encoder = await real.encode(options)
      count.opened += 1
      count.open += 1
      return {
        name: encoder.name,
        picture: encoder.picture,
        encode(pts, key) {
          count.pictures += 1
          return encoder.encode(pts, key)
        },
        close() {
          count.open -= 1
          return encoder.close()
        },
      }
    },
  }
  return { engine, count }
}

/** A stream that a sink opened, and what came of it. */
interface Opened {
  readonly input: string
  readonly format: VideoFormat
  readonly control: StreamControl
  readonly packets: VideoPacket[]
  closed: boolean
}

function outputOf(spec: Partial<OutputSpec> = {}) {
  const { engine, count } = countedEngine()
  let dropped = 0
  const { context, told } = sinkContext({ engine, dropped: () => (dropped += 1) })
  const opened: Opened[] = []
  const sink = videoSink({ url: 'rtsp:', ...spec }, context, async (input, format, control) => {
    const stream: Opened = { input, format, control, packets: [], closed: false }
    opened.push(stream)
    return {
      write: async (packet) => void stream.packets.push(packet),
      close: async () => {
        stream.closed = true
      },
    }
  })
  return { sink, count, opened, told, dropped: () => dropped }
}

function picture(width = 320, height = 180) {
  return rgbFrame({ width, height, data: new Uint8Array(width * height * 3).fill(90) })
}

async function shown(
  sink: { write(delivered: Delivered): Promise<void> },
  seq: number,
  frame = picture(),
) {
  const pts = seq / 10
  await sink.write({
    result: result(seq, { pts, width: frame.width, height: frame.height }),
    frame,
    fps: 10,
  })
  frame.release()
}

function see(sink: Sink, seq: number): void {
  const frame = picture()
  const pts = seq / 10
  sink.see?.({ input: 'gate', frame, capturedAt: pts * 1000, pts, fps: 10 })
  frame.release()
}

describe('a video output', () => {
  it('offers a stream with the first picture, and encodes while it is wanted', async () => {
    const { sink, count, opened } = outputOf()
    await sink.open()
    for (let seq = 0; seq < 3; seq++) await shown(sink, seq)
    expect(opened).toMatchObject([{ format: { codec: 'h264', width: 320, height: 180, fps: 10 } }])
    expect(count).toEqual({ opened: 0, open: 0, pictures: 0 })
    opened[0]?.control.wanted(true)
    for (let seq = 3; seq < 6; seq++) await shown(sink, seq)
    expect(opened[0]?.packets.map(({ pts, key }) => [pts, key])).toEqual([
      [27_000, true],
      [36_000, false],
      [45_000, false],
    ])
    opened[0]?.control.key()
    await shown(sink, 6)
    expect(opened[0]?.packets.at(-1)?.key).toBe(true)
    opened[0]?.control.wanted(false)
    for (let seq = 7; seq < 9; seq++) await shown(sink, seq)
    await expect.poll(() => count).toEqual({ opened: 1, open: 0, pictures: 4 })
    opened[0]?.control.wanted(true)
    await shown(sink, 9)
    expect(opened[0]?.packets.at(-1)).toMatchObject({ pts: 81_000, key: true })
    await sink.close()
    expect(count).toMatchObject({ opened: 2, open: 0 })
    expect(opened[0]?.closed).toBe(true)
    expect(liveFrames()).toBe(0)
  })

  it.each(['inputOver', 'close'] as const)('encodes what it was given before %s', async (end) => {
    const { sink, opened } = outputOf()
    await sink.open()
    await shown(sink, 0)
    opened[0]?.control.wanted(true)
    const written = [1, 2, 3].map((seq) => shown(sink, seq))
    // As the agent: a picture is handed over, and the end of its input is told in the next turn.
    await Promise.resolve()
    if (end === 'close') await sink.close()
    else sink.inputOver?.('gate')
    await Promise.all(written)
    await expect.poll(() => opened[0]?.closed).toBe(true)
    expect(opened[0]?.packets.map(({ pts }) => pts)).toEqual([9000, 18_000, 27_000])
  })

  it('encodes what it was given while its destination was opened, though the input is over by then', async () => {
    const { engine } = countedEngine()
    const { context, told } = sinkContext({ engine })
    let reach = (): void => undefined
    const reached = new Promise<void>((resolve) => {
      reach = resolve
    })
    const written: number[] = []
    const sink = videoSink({ url: 'file:clip.mp4' }, context, async (_input, _format, control) => {
      await reached
      control.wanted(true)
      return {
        write: async ({ pts }) => void written.push(pts),
        close: async () => void written.push(Number.NaN),
      }
    })
    await sink.open()
    const shownAll = [0, 1].map((seq) => shown(sink, seq))
    sink.inputOver?.('gate')
    reach()
    await Promise.all(shownAll)
    await sink.close()
    expect(written).toEqual([0, 9000, Number.NaN])
    expect(told.losses).toEqual([])
  })

  it('starts another stream for pictures of another size, when the one before has ended', async () => {
    const { sink, count, opened } = outputOf()
    await sink.open()
    await shown(sink, 0)
    opened[0]?.control.wanted(true)
    await shown(sink, 1)
    await shown(sink, 2, picture(161, 121))
    expect(opened.map(({ format, closed }) => [format.width, format.height, closed])).toEqual([
      [320, 180, true],
      [160, 120, false],
    ])
    opened[1]?.control.wanted(true)
    await shown(sink, 3, picture(161, 121))
    expect(opened[1]?.packets).toMatchObject([{ key: true }])
    await sink.close()
    expect(count.open).toBe(0)
    expect(liveFrames()).toBe(0)
  })

  it('ends the stream of an input that is over, and begins another when it comes back', async () => {
    const { sink, count, opened } = outputOf()
    await sink.open()
    await shown(sink, 0)
    opened[0]?.control.wanted(true)
    await shown(sink, 1)
    sink.inputOver?.('gate')
    await shown(sink, 2)
    expect(opened.map(({ closed }) => closed)).toEqual([true, false])
    expect(count.open).toBe(0)
    sink.inputOver?.('nobody')
    sink.inputOver?.('gate')
    await sink.close()
    expect(opened.map(({ closed }) => closed)).toEqual([true, true])
    expect(liveFrames()).toBe(0)
  })

  it('drops pictures that nobody can hold back, and says so, when the encoder is behind', async () => {
    const { sink, opened, dropped } = outputOf({ overlay: 'latest' })
    await sink.open()
    see(sink, 0)
    await expect.poll(() => opened.length).toBe(1)
    opened[0]?.control.wanted(true)
    for (let seq = 1; seq <= 12; seq++) see(sink, seq)
    await sink.close()
    expect(dropped()).toBeGreaterThan(0)
    expect((opened[0]?.packets.length ?? 0) + dropped()).toBe(12)
    expect(liveFrames()).toBe(0)
  })

  it('shows every picture with overlay: latest, and results only change the boxes', async () => {
    const { sink, opened } = outputOf({ overlay: 'latest' })
    await sink.open()
    see(sink, 0)
    await expect.poll(() => opened.length).toBe(1)
    opened[0]?.control.wanted(true)
    for (const seq of [1, 2, 3]) {
      const before = opened[0]?.packets.length ?? 0
      see(sink, seq)
      await expect.poll(() => opened[0]?.packets.length).toBe(before + 1)
    }
    await shown(sink, 9)
    expect(opened[0]?.packets.map(({ pts }) => pts)).toEqual([9000, 18_000, 27_000])
    await sink.close()
    expect(liveFrames()).toBe(0)
  })

  it('is at its end when its encoder cannot be opened, with the cause', async () => {
    const { engine } = countedEngine()
    const { context } = sinkContext({ engine, encoder: 'h264_nothing' })
    const sink = videoSink({ url: 'rtsp:' }, context, async (_input, _format, control) => {
      control.wanted(true)
      return { write: async () => undefined, close: async () => undefined }
    })
    await sink.open()
    await expect(shown(sink, 0)).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' })
    await sink.close()
  })
})
