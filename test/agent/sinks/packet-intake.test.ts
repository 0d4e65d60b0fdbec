import { describe, expect, it } from 'vitest'
import { AgentError } from '../../../agent/core/errors.ts'
import type { VideoPacket } from '../../../agent/core/video.ts'
import { diskQueue } from '../../../agent/sinks/disk-queue.ts'
import { packetIntake } from '../../../agent/sinks/packet-intake.ts'
import { askings } from './packet-harness.ts'

const packet = (pts: number, key = false): VideoPacket => ({ data: new Uint8Array(100), pts, key })

/** An intake whose disk does one thing each time it is told to. */
function intake() {
  const queue = diskQueue()
  const taken: string[] = []
  const disk: (() => void)[] = []
  const { control, asked } = askings()
  const dropped: number[] = []
  const sink = packetIntake({
    control,
    queue,
    maxBytes: 250,
    dropped: () => dropped.push(1),
    recording: {
      take({ pts, data }, gap) {
        taken.push(gap ? `gap ${pts}` : `${pts}`)
        queue.add(data.length, () => new Promise((resolve) => disk.push(resolve)))
      },
      finish: () => queue.finish(async () => undefined),
    },
  })
  /** The disk finishes what is under way. */
  const progress = async (): Promise<void> => {
    await expect.poll(() => disk.length).toBeGreaterThan(0)
    const before = queue.bytes
    disk.shift()?.()
    await expect.poll(() => queue.bytes).toBeLessThan(before)
  }
  return { sink, taken, dropped, asked, progress, queue }
}

describe('an intake of packets', () => {
  it('asks for packets, and for a key picture to begin with', async () => {
    const { sink, taken, dropped, asked, progress } = intake()
    expect(asked).toEqual({ keys: 1, wanted: [true] })
    await sink.write(packet(0))
    await sink.write(packet(1, true))
    await sink.write(packet(2))
    expect(taken).toEqual(['gap 1', '2'])
    expect(dropped).toHaveLength(1)
    await progress()
    await progress()
    await sink.close()
    expect(asked.wanted).toEqual([true, false])
  })

  it('never waits for a slow disk: it drops up to a key picture, which it asks for', async () => {
    const { sink, taken, dropped, asked, progress } = intake()
    await sink.write(packet(0, true))
    await sink.write(packet(1))
    await sink.write(packet(2))
    await sink.write(packet(3, true))
    expect(taken).toEqual(['0', '1'])
    expect(dropped).toHaveLength(2)
    expect(asked.keys).toBe(1)
    await progress()
    await sink.write(packet(4))
    await sink.write(packet(5))
    expect(asked.keys).toBe(2)
    await sink.write(packet(6, true))
    await sink.write(packet(7))
    expect(taken).toEqual(['0', '1', 'gap 6'])
    expect(dropped).toHaveLength(5)
    await progress()
    await progress()
    await sink.write(packet(8, true))
    expect(taken).toEqual(['0', '1', 'gap 6', 'gap 8'])
  })

  it('fails every write as the disk did', async () => {
    const { sink, queue } = intake()
    queue.add(0, () =>
      Promise.reject(new AgentError('SINK_FAILED', 'no disk', { retryable: true })),
    )
    await expect.poll(() => queue.failure).toBeDefined()
    await expect(sink.write(packet(0, true))).rejects.toThrow('no disk')
    await expect(sink.write(packet(1, true))).rejects.toThrow('no disk')
    await sink.close()
  })
})
