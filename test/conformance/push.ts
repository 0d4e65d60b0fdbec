import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { PacketSink, VideoPacket } from '../../agent/core/video.ts'
import type { EncodeOptions, PushOptions } from '../../agent/media/engine.ts'
import { decodedAnnexB } from './annex-b.ts'
import { encodeSeries, withEncoder } from './encoding.ts'
import type { MakeEngine } from './media-engine.ts'
import { startReceiver } from './receiver.ts'

const format = { codec: 'h264', width: 320, height: 180, fps: 30 } as const
const encoding: EncodeOptions = { ...format, bitrate: 1e6, keyIntervalS: 1, encoder: 'auto' }
const options: PushOptions = { ...format, timeoutMs: 5000 }
const protocols = ['rtsp', 'rtmp'] as const

/** What every engine's push must keep to. Needs the ffmpeg program, which receives. */
export function conformsToPush(name: string, create: MakeEngine): void {
  const packetsOf = (count: number) =>
    withEncoder(create(), encoding, (encoder) => encodeSeries(encoder, count))

  async function push(url: string, timeoutMs = options.timeoutMs): Promise<PacketSink> {
    const sink = await create().push(url, { ...options, timeoutMs })
    onTestFinished(() => sink.close())
    return sink
  }

  describe.each(protocols)(`${name} pushes by %s`, (protocol) => {
    it('pictures and times as they are', async () => {
      const packets = await packetsOf(45)
      const receiver = await startReceiver(protocol)
      const sink = await push(receiver.url)
      await writeAll(sink, packets)
      await sink.close()
      const { data, times } = await receiver.received()
      const seen = decodedAnnexB([{ data, pts: 0, key: true }], 320, 180)
      const sent = decodedAnnexB(packets, 320, 180)
      expect(seen.length).toBe(45)
      expect(seen.findIndex((bytes, index) => !bytes.equals(sent[index] ?? Buffer.of()))).toBe(-1)
      // What the program makes of the first packet's time over RTSP is its own.
      const [, ...later] = times
      const steps = later.slice(1).map((time, index) => time - (later[index] ?? 0))
      expect(Math.max(...steps)).toBeLessThan(0.036)
      expect(Math.min(...steps)).toBeGreaterThan(0.03)
    })

    it('from the first key picture on', async () => {
      const packets = await packetsOf(40)
      const receiver = await startReceiver(protocol)
      const sink = await push(receiver.url)
      await writeAll(sink, packets.slice(20))
      await sink.close()
      const { data } = await receiver.received()
      const seen = decodedAnnexB([{ data, pts: 0, key: true }], 320, 180)
      const sent = decodedAnnexB(packets, 320, 180)
      expect(packets[30]?.key).toBe(true)
      expect(seen.length).toBe(10)
      expect(seen[0]?.equals(sent[30] ?? Buffer.of())).toBe(true)
    })

    it('and says that nobody listens, without the password', async () => {
      const server = await listen(() => undefined)
      const { port } = server.address() as AddressInfo
      await closed(server)
      const packets = await packetsOf(2)
      await failing(push(`${protocol}://eve:secret@127.0.0.1:${port}/live/key`), packets, {
        code: 'SINK_FAILED',
        retryable: true,
        message: expect.stringMatching(/^(?!.*secret).*127\.0\.0\.1.*refused/s),
      })
    })

    it('and gives up a server that does not answer', async () => {
      const url = await urlOf(
        protocol,
        listen(() => undefined),
      )
      const packets = await packetsOf(2)
      const began = performance.now()
      await failing(push(url, 500), packets, { code: 'SINK_FAILED', retryable: true })
      expect(performance.now() - began).toBeLessThan(4000)
    })

    it('and gives up connecting when it is closed', async () => {
      let met: () => void = () => undefined
      const meeting = new Promise<void>((resolve) => {
        met = resolve
      })
      const url = await urlOf(
        protocol,
        listen(() => met()),
      )
      const packets = await packetsOf(2)
      const sink = await push(url, 60_000)
      const writing = writeAll(sink, packets).catch((error: unknown) => error)
      await meeting
      const began = performance.now()
      await sink.close()
      expect(await writing).toMatchObject({ code: 'SINK_FAILED' })
      expect(performance.now() - began).toBeLessThan(2000)
    })

    it('and notices that its server is gone', async () => {
      const packets = await packetsOf(30)
      const receiver = await startReceiver(protocol)
      const sink = await push(receiver.url)
      await writeAll(sink, packets)
      receiver.kill()
      await expect(writeOnAndOn(sink, packets)).rejects.toMatchObject({
        code: 'SINK_FAILED',
        retryable: true,
      })
    })

    it('and gives up a server that takes no more', async () => {
      const packets = await packetsOf(30)
      const receiver = await startReceiver(protocol)
      const sink = await push(receiver.url, 1000)
      await writeAll(sink, packets)
      receiver.freeze()
      await expect(writeOnAndOn(sink, packets)).rejects.toMatchObject({ code: 'SINK_FAILED' })
      const began = performance.now()
      await sink.close()
      expect(performance.now() - began).toBeLessThan(3000)
    })
  })

  describe(`${name}, pushing,`, () => {
    it('refuses other protocols', async () => {
      const packets = await packetsOf(1)
      await failing(push('file:///tmp/x.flv'), packets, { code: 'SINK_UNSUPPORTED' })
    })

    it('may be closed before anything was written, and again', async () => {
      const sink = await push('rtsp://127.0.0.1:9/never')
      await sink.close()
      await sink.close()
    })
  })
}

async function writeAll(sink: PacketSink, packets: readonly VideoPacket[]): Promise<void> {
  for (const packet of packets) await sink.write(packet)
}

/** Until it fails; far more than any buffer on the way holds. */
async function writeOnAndOn(sink: PacketSink, packets: readonly VideoPacket[]): Promise<void> {
  const length = (packets.at(-1)?.pts ?? 0) + 3000
  for (let round = 1; round < 5000; round++) {
    await writeAll(
      sink,
      packets.map((packet) => ({ ...packet, pts: packet.pts + round * length })),
    )
  }
}

/** The failure of opening or of the first packets: an engine may connect with either. */
async function failing(
  sink: Promise<PacketSink>,
  packets: readonly VideoPacket[],
  error: object,
): Promise<void> {
  await expect(sink.then((opened) => writeAll(opened, packets))).rejects.toMatchObject(error)
}

async function listen(met: (socket: Socket) => void): Promise<Server> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.resume()
    met(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return server
}

async function closed(server: Server): Promise<void> {
  server.close()
  await once(server, 'close')
}

async function urlOf(protocol: string, listening: Promise<Server>): Promise<string> {
  const { port } = (await listening).address() as AddressInfo
  return `${protocol}://127.0.0.1:${port}/live/key`
}
