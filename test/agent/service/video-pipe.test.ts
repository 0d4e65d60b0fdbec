import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { VideoPacket } from '../../../agent/core/video.ts'
import {
  framed,
  MAX_PACKET_BYTES,
  VIDEO_FD,
  videoReader,
} from '../../../agent/service/video-pipe.ts'

const key = { data: Buffer.from('a key picture'), pts: 0, key: true }
const other = { data: Buffer.from('another'), pts: 3000, key: false }

/** Two streams, whose times are in part beyond 32 bits. */
const sent: readonly [number, VideoPacket][] = [
  [0, key],
  [7, { ...other, pts: 2 ** 40 + 1 }],
  [0, other],
  [2 ** 32 - 1, key],
]
const bytes = Buffer.concat(sent.map(([stream, packet]) => framed(stream, packet)))

/** A pipe's reading end, and what it told. */
function opened() {
  const received: [number, VideoPacket][] = []
  const problems: string[] = []
  const take = videoReader({
    video: (stream, packet) => received.push([stream, packet]),
    broken: (reason) => problems.push(reason),
  })
  return { take, received, problems }
}

/** The frame of a packet, with something changed in its header. */
function changed(change: (header: Buffer) => void): Buffer {
  const frame = framed(0, key)
  change(frame)
  return frame
}

describe('packets on their pipe', () => {
  it('arrive with their stream, time and kind, however many come at once', () => {
    const { take, received } = opened()
    take(bytes)
    expect(received).toEqual(sent)
  })

  it('arrive whole, wherever the bytes are cut', () => {
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const { take, received } = opened()
      take(bytes.subarray(0, cut))
      take(bytes.subarray(cut))
      expect(received).toEqual(sent)
    }
  })

  it('arrive byte by byte, each with its last one', () => {
    const { take, received } = opened()
    const ends = sent.map(([stream, packet]) => framed(stream, packet).length)
    let at = 0
    for (const [index, size] of ends.entries()) {
      for (const end = at + size; at < end; at += 1) {
        expect(received).toHaveLength(index)
        take(bytes.subarray(at, at + 1))
      }
    }
    expect(received).toEqual(sent)
  })

  it('arrive without data at once', () => {
    const { take, received } = opened()
    const empty = { ...other, data: Buffer.alloc(0) }
    take(framed(3, empty))
    expect(received).toEqual([[3, empty]])
  })

  it('are in memory of their own, when they are sent and when they arrive', () => {
    const { take, received } = opened()
    const data = Buffer.from(key.data)
    const frame = framed(0, { ...key, data })
    data.fill(0)
    take(frame)
    frame.fill(0)
    expect(received).toEqual([[0, key]])
  })

  it.each([
    ['longer than any packet', changed((header) => header.writeUInt32LE(MAX_PACKET_BYTES + 1, 0))],
    ['of a time that is none', changed((header) => header.writeDoubleLE(Number.NaN, 8))],
    ['of a kind that is none', changed((header) => header.writeUInt8(2, 16))],
  ])('that are %s break the pipe, and nothing more is taken', (_, frame) => {
    const { take, received, problems } = opened()
    take(framed(0, key))
    take(frame)
    take(bytes)
    expect(received).toEqual([[0, key]])
    expect(problems).toHaveLength(1)
  })
})

it('tells a process that goes on sending when main has closed its end', async () => {
  const built = new URL('../../../dist/agent/service/video-pipe.js', import.meta.url)
  const entry = join(mkdtempSync(join(tmpdir(), 'heliograph-')), 'service.mjs')
  writeFileSync(
    entry,
    `import { videoWriter } from '${built}'
    const send = videoWriter(() => process.send('lost'))
    process.on('message', () => {
      for (const pts of [0, 1, 2]) send(0, { data: Buffer.alloc(10), pts, key: true })
    })
    process.send('ready')`,
  )
  const child = fork(entry, { stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  expect(await once(child, 'message')).toContain('ready')
  child.stdio[VIDEO_FD]?.destroy()
  child.send('go on')
  expect(await once(child, 'message')).toContain('lost')
  child.send('go on')
  child.disconnect()
  expect(await once(child, 'exit')).toEqual([0, null])
})

it('brings all there is, in order, to a main that reads late', async () => {
  const built = new URL('../../../dist/agent/service/video-pipe.js', import.meta.url)
  const entry = join(mkdtempSync(join(tmpdir(), 'heliograph-')), 'service.mjs')
  writeFileSync(
    entry,
    `import { videoWriter } from '${built}'
    const send = videoWriter(() => process.exit(1))
    for (let pts = 0; pts < 60; pts++) {
      send(0, { data: Buffer.alloc(70_001, pts), pts, key: pts % 30 === 0 })
    }
    process.send('sent')
    process.on('message', () => {
      send(0, { data: Buffer.alloc(9, 60), pts: 60, key: false })
      process.disconnect()
    })`,
  )
  const child = fork(entry, { stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  expect(await once(child, 'message')).toContain('sent')
  const { take, received, problems } = opened()
  child.stdio[VIDEO_FD]?.on('data', take)
  await expect.poll(() => received.length).toBe(60)
  child.send('one more')
  await expect.poll(() => received.length).toBe(61)
  expect(problems).toEqual([])
  for (const [index, [, { data, pts, key: isKey }]] of received.entries()) {
    expect([pts, data.length, isKey]).toEqual([
      index,
      index < 60 ? 70_001 : 9,
      index % 30 === 0 && index < 60,
    ])
    expect(data.every((byte) => byte === index)).toBe(true)
  }
})
