import type { Packet } from 'node-av/lib'
import { expect, it } from 'vitest'
import { fileBytes } from '../../../agent/media/file-bytes.ts'
import { openInput } from '../../../agent/media/node-av-input.ts'
import { videoIo } from '../../../agent/media/node-av-io.ts'
import { loadNodeAv } from '../../../agent/media/node-av-library.ts'
import { AHEAD, packetReader } from '../../../agent/media/node-av-packets.ts'
import { shipped } from './clips.ts'

/** Times of the packets that a reader gives, and the codes behind the last. */
async function readAll(ahead: boolean, wanted: (packet: Packet) => boolean, stopAt?: number) {
  const av = await loadNodeAv()
  const abort = new AbortController()
  const bytes = await fileBytes({ kind: 'file', path: shipped('dog.mp4') })
  const io = videoIo(av)
  const input = await openInput({ av, io }, bytes, abort.signal)
  const reader = packetReader(av, input.format, wanted, { ahead, signal: abort.signal })
  const times: bigint[] = []
  for (;;) {
    const packet = await reader.next()
    if (typeof packet === 'number') {
      const codes = [packet, await reader.next()]
      reader.close()
      await input.close()
      io.free()
      await bytes.close()
      return { times, codes, av }
    }
    times.push(packet.dts)
    packet.unref()
    if (times.length === stopAt) abort.abort()
  }
}

it('gives the same packets ahead as one by one, then the end, again and again', async () => {
  const single = await readAll(false, () => true)
  const { times, codes, av } = await readAll(true, () => true)
  expect(times).toEqual(single.times)
  expect(times).toHaveLength(368)
  expect(codes).toEqual([av.constants.AVERROR_EOF, av.constants.AVERROR_EOF])
})

it.each([true, false])('leaves out what is not wanted (ahead: %s)', async (ahead) => {
  const { times } = await readAll(ahead, ({ isKeyframe }) => isKeyframe)
  expect(times.length).toBeGreaterThan(0)
  expect(times.length).toBeLessThan(20)
})

it('reads no more once it is aborted', async () => {
  const { times, codes, av } = await readAll(true, () => true, 3)
  // What was read ahead by then may still come.
  expect(times.length).toBeLessThanOrEqual(AHEAD)
  expect(codes[0]).toBe(av.constants.AVERROR_EXIT)
})
