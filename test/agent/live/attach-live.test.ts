import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import WebSocket, { type ClientOptions } from 'ws'
import type { VideoFormat, VideoPacket } from '../../../agent/core/video.ts'
import { attachWebSocket } from '../../../broker/websocket.ts'
import { fragmentAt } from '../mux/boxes-in.ts'
import { decodedHashes, hasFfmpeg, madeVideo } from '../mux/made-video.ts'
import { liveServer, runningStream } from './running-stream.ts'

let format: VideoFormat
let packets: readonly VideoPacket[]

/** A viewer, and what it received. */
async function viewer(url: string, options: ClientOptions = {}) {
  const socket = new WebSocket(url, options)
  onTestFinished(() => socket.terminate())
  const texts: string[] = []
  const bytes: Buffer[] = []
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) bytes.push(data)
    else texts.push(data.toString())
  })
  await once(socket, 'open')
  return { socket, texts, bytes, fragments: () => bytes.slice(1).map(fragmentAt) }
}

/** How the server refuses. */
async function refusal(url: string, options: ClientOptions = {}) {
  const socket = new WebSocket(url, options)
  const [, response] = await once(socket, 'unexpected-response')
  let body = ''
  for await (const chunk of response) body += chunk
  return { status: response.statusCode, body }
}

describe.skipIf(!hasFfmpeg)('live video over WebSocket', () => {
  beforeAll(async () => {
    ;({ format, packets } = await madeVideo({ seconds: 2, keyEvery: 15 }))
  })

  it('gives each viewer the pictures from the next key picture on', async () => {
    const running = runningStream(format)
    const { url, live } = await liveServer(running.stream)
    const first = await viewer(url)
    expect(running.asked.keys).toBe(1)
    for (const packet of packets.slice(0, 20)) running.push(packet)
    const second = await viewer(url)
    await expect.poll(running.viewers).toBe(2)
    expect([...live.viewers]).toEqual([['door/gate', 2]])
    for (const packet of packets.slice(20)) running.push(packet)
    await expect.poll(() => first.bytes.length).toBe(61)
    await expect.poll(() => second.bytes.length).toBe(31)
    const header = JSON.parse(first.texts[0] ?? '')
    expect(header).toMatchObject({ width: 320, height: 240, fps: 30 })
    expect(header.mime).toBe(`video/mp4; codecs="${header.codec}"`)
    expect(second.texts).toEqual(first.texts)
    expect(second.fragments()[0]).toMatchObject({ time: 0, samples: [{ key: true }] })
    const folder = await mkdtemp(join(tmpdir(), 'live-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await writeFile(join(folder, 'a.mp4'), Buffer.concat(first.bytes))
    await writeFile(join(folder, 'b.mp4'), Buffer.concat(second.bytes))
    const pictures = await decodedHashes(packets)
    expect(await decodedHashes(join(folder, 'a.mp4'))).toEqual(pictures)
    expect(await decodedHashes(join(folder, 'b.mp4'))).toEqual(pictures.slice(30))
  })

  it('counts who leaves', async () => {
    const running = runningStream(format)
    const { url, live } = await liveServer(running.stream)
    const { socket } = await viewer(url)
    await expect.poll(() => live.viewers.get('door/gate')).toBe(1)
    socket.close()
    await expect.poll(() => live.viewers.size).toBe(0)
    expect(running.viewers()).toBe(0)
  })

  it('says when the stream ends', async () => {
    const running = runningStream(format)
    const { url } = await liveServer(running.stream)
    const { socket } = await viewer(url)
    await expect.poll(running.viewers).toBe(1)
    running.end()
    const [code, reason] = await once(socket, 'close')
    expect([code, String(reason)]).toEqual([1001, 'the stream ended'])
  })

  it('skips what a slow viewer cannot take, and delays nobody else', async () => {
    const running = runningStream(format)
    const queueBytes = 256 * 1024
    const { url, live } = await liveServer(running.stream, { queueBytes })
    const slow = await viewer(url)
    const quick = await viewer(url)
    await expect.poll(() => live.viewers.get('door/gate')).toBe(2)
    slow.socket.pause()
    // 400 kB a picture, so that what the operating system takes for itself is filled too.
    for (const packet of packets) {
      running.push({ ...packet, data: heavy(packet) })
      await expect.poll(() => quick.bytes.length, { interval: 1 }).toBe(1 + packet.pts / 3000 + 1)
    }
    slow.socket.resume()
    const asked = running.asked.keys
    await expect.poll(() => slow.bytes.length).toBeGreaterThan(1)
    const late = trickle(180_000)
    await expect.poll(() => running.push(late()) ?? running.asked.keys).toBe(asked + 1)
    const before = slow.bytes.length
    expect(before).toBeLessThan(50)
    const [key] = packets
    if (key) running.push({ ...key, pts: late().pts })
    await expect.poll(() => slow.bytes.length).toBe(before + 1)
    const fragments = slow.fragments()
    expect(fragments.at(-1)?.samples[0]?.key).toBe(true)
    const steps = fragments.slice(1).map(({ time }, index) => time - (fragments[index]?.time ?? 0))
    expect(Math.max(...steps)).toBeLessThanOrEqual(6000)
  })

  it('skips when what waits is too old', async () => {
    const running = runningStream(format)
    const limits = { queueBytes: 2 ** 30, behindMs: 200 }
    const { url } = await liveServer(running.stream, limits)
    const slow = await viewer(url)
    await expect.poll(running.viewers).toBe(1)
    slow.socket.pause()
    for (const packet of packets) running.push({ ...packet, data: heavy(packet) })
    const late = trickle(180_000)
    let pushed = 60
    const push = (): number => {
      running.push(late())
      pushed += 1
      return pushed
    }
    await expect.poll(push, { interval: 20 }).toBe(100)
    slow.socket.resume()
    const asked = running.asked.keys
    await expect.poll(() => push() && running.asked.keys).toBe(asked + 1)
    await expect.poll(() => slow.fragments().length).toBeGreaterThanOrEqual(60)
    expect(slow.fragments().length).toBeLessThan(85)
  })

  it('ends viewers that do not answer', async () => {
    const running = runningStream(format)
    const { url, live } = await liveServer(running.stream, { pingMs: 50 })
    const dead = await viewer(url, { autoPong: false })
    const alive = await viewer(url)
    await once(dead.socket, 'close')
    await expect.poll(() => live.viewers.get('door/gate')).toBe(1)
    expect(alive.socket.readyState).toBe(WebSocket.OPEN)
  })

  it('refuses what it does not have, whom it does not trust, and too many', async () => {
    const running = runningStream(format)
    const { url, refused } = await liveServer(running.stream, { viewers: 1 })
    const nobody = await refusal(url.replace('gate', 'yard'))
    expect(nobody.status).toBe(404)
    expect(nobody.body).toContain("input 'yard' of service 'door'")
    expect(await refusal(url.replace('live', 'other'))).toMatchObject({ status: 404 })
    const stranger = await refusal(url, { origin: 'https://elsewhere.example' })
    expect(stranger.status).toBe(403)
    expect(stranger.body).toContain('elsewhere.example')
    expect(await refusal(url, { headers: { host: 'rebound.example' } })).toMatchObject({
      status: 403,
    })
    await viewer(url)
    expect(await refusal(url)).toMatchObject({ status: 503 })
    expect(refused).toHaveLength(5)
  })

  it('ends viewers that talk too much', async () => {
    const running = runningStream(format)
    const { url } = await liveServer(running.stream)
    const { socket } = await viewer(url)
    socket.send('hello')
    socket.send(Buffer.alloc(100_000))
    const [code] = await once(socket, 'close')
    expect(code).toBe(1009)
    await expect.poll(running.viewers).toBe(0)
  })

  it('lives beside MQTT on one server', async () => {
    const running = runningStream(format)
    const arrived: string[] = []
    const { port, url } = await liveServer(
      running.stream,
      {},
      {
        elsewhere: (path) => path === '/mqtt',
        onServer: (server) => {
          const mqtt = attachWebSocket(server, {
            path: '/mqtt',
            trust: { hosts: [], origins: [] },
            maxBytes: 1000,
            accept: ({ kind }) => arrived.push(kind),
            refused: (reason) => arrived.push(reason),
          })
          onTestFinished(() => mqtt.close())
        },
      },
    )
    await viewer(url)
    const socket = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, 'mqtt')
    onTestFinished(() => socket.terminate())
    await once(socket, 'open')
    expect(arrived).toEqual(['websocket'])
    expect(await refusal(`ws://127.0.0.1:${port}/other`)).toMatchObject({ status: 404 })
  })

  it('ends everything when it is closed', async () => {
    const running = runningStream(format)
    const { url, live, server } = await liveServer(running.stream)
    const { socket } = await viewer(url)
    live.close()
    await once(socket, 'close')
    expect(running.viewers()).toBe(0)
    expect(server.listenerCount('upgrade')).toBe(0)
  })
})

/** A picture of 400 kB: the rest is a unit that decoders skip (SEI). */
function heavy({ data }: VideoPacket): Uint8Array {
  return Buffer.concat([data, Buffer.from([0, 0, 1, 6]), Buffer.alloc(400_000, 0xff)])
}

/** Small packets, none of them key, from a time on. */
function trickle(from: number): () => VideoPacket {
  const [, second] = packets
  if (!second) throw new Error('no packets')
  let pts = from
  return () => {
    pts += 3000
    return { ...second, pts }
  }
}
