import { statSync } from 'node:fs'
import { setTimeout as passed } from 'node:timers/promises'
import type { Packet } from 'node-av/lib'
import { expect, it } from 'vitest'
import { fileBytes } from '../../../agent/media/file-bytes.ts'
import { openInput } from '../../../agent/media/node-av-input.ts'
import { PREFETCH_BYTES, type Prefetch, videoIo } from '../../../agent/media/node-av-io.ts'
import { loadNodeAv } from '../../../agent/media/node-av-library.ts'
import { AHEAD, packetReader } from '../../../agent/media/node-av-packets.ts'
import { clip, hasFfmpeg, shipped } from './clips.ts'

/** How the packets of a file are read; as the agent does, where nothing else is said. */
interface Reading {
  readonly path?: string
  readonly ahead?: boolean
  readonly wanted?: (packet: Packet) => boolean
  /** After so many packets reading is aborted. */
  readonly stopAt?: number
  /** Takes the place of the reader's own prefetching, which it is given. */
  readonly prefetchBy?: (own: Prefetch | undefined) => Prefetch | undefined
}

/** Times of the packets that a reader gives, and the codes behind the last. */
async function readAll({ path = shipped('dog.mp4'), ...reading }: Reading = {}) {
  const { ahead = true, wanted = () => true, stopAt, prefetchBy = (own) => own } = reading
  const av = await loadNodeAv()
  const abort = new AbortController()
  const bytes = await fileBytes({ kind: 'file', path })
  const io = videoIo(av)
  const input = await openInput({ av, io }, bytes, abort.signal)
  const prefetch = prefetchBy(input.prefetch)
  const reader = packetReader(av, input.format, wanted, { ahead, prefetch, signal: abort.signal })
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
  const single = await readAll({ ahead: false, prefetchBy: () => undefined })
  const { times, codes, av } = await readAll()
  expect(times).toEqual(single.times)
  expect(times).toHaveLength(368)
  expect(codes).toEqual([av.constants.AVERROR_EOF, av.constants.AVERROR_EOF])
})

it.each([true, false])('leaves out what is not wanted (ahead: %s)', async (ahead) => {
  const { times } = await readAll({ ahead, wanted: ({ isKeyframe }) => isKeyframe })
  expect(times.length).toBeGreaterThan(0)
  expect(times.length).toBeLessThan(20)
})

it('reads no more once it is aborted', async () => {
  const { times, codes, av } = await readAll({ stopAt: 3 })
  // What was read ahead by then may still come.
  expect(times.length).toBeLessThanOrEqual(AHEAD)
  expect(codes[0]).toBe(av.constants.AVERROR_EXIT)
})

/** Makes note of where prefetching begins. */
function noting(asked: number[], own: Prefetch | undefined): Prefetch | undefined {
  if (!own) return undefined
  return (position) => {
    asked.push(position)
    return own(position)
  }
}

/** Elsewhere, FFmpeg reads no files itself. */
const isLinux = process.platform === 'linux'
const onLinux = it.skipIf(!isLinux)
const onLinuxWithFfmpeg = it.skipIf(!isLinux || !hasFfmpeg)

onLinux('prefetches a file piece by piece, not for each packet', async () => {
  const asked: number[] = []
  const { times } = await readAll({ prefetchBy: (own) => noting(asked, own) })
  const pieces = statSync(shipped('dog.mp4')).size / PREFETCH_BYTES
  expect(asked.length).toBeGreaterThanOrEqual(Math.floor(pieces))
  // Where less is left than the largest packet took, it is asked for again.
  expect(asked.length).toBeLessThan(times.length / 20)
  expect(asked).toEqual(asked.toSorted((a, b) => a - b))
})

onLinuxWithFfmpeg('prefetches no packets that are as large as what it would', async () => {
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=1280x720:duration=1', '-c:v', 'rawvideo']
  const path = clip('raw.mkv', ...source, '-pix_fmt', 'yuv420p')
  const asked: number[] = []
  const { times } = await readAll({ path, prefetchBy: (own) => noting(asked, own) })
  expect(times).toHaveLength(25)
  expect(asked).toEqual([])
})

onLinux('waits for a disk that does not answer, and holds up nothing else', async () => {
  let answer: (position: number) => void = () => undefined
  let asked = 0
  const silent: Prefetch = (position) => {
    asked += 1
    return asked > 1 ? Promise.resolve(position) : new Promise((resolve) => (answer = resolve))
  }
  let isDone = false
  const done = readAll({ prefetchBy: () => silent }).finally(() => (isDone = true))
  await expect.poll(() => asked).toBe(1)
  await passed(100)
  expect(isDone).toBe(false)
  answer(0)
  expect((await done).times).toHaveLength(368)
})

onLinux('reads what cannot be prefetched all the same', async () => {
  const { times, codes, av } = await readAll({ prefetchBy: () => async (position) => position })
  expect(times).toHaveLength(368)
  expect(codes[0]).toBe(av.constants.AVERROR_EOF)
})
