import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import type { StreamInput } from '../../agent/media/engine.ts'
import { liveFrames } from '../../agent/media/frame-count.ts'
import { clip, hasFfmpeg, readVideo, shipped } from '../agent/media/clips.ts'
import type { MakeEngine } from './media-engine.ts'

/** How every engine must read bytes that come through our own code. */
export function conformsToStreams(name: string, create: MakeEngine): void {
  describe(`a stream by ${name}`, () => {
    afterEach(() => {
      expect(liveFrames()).toBe(0)
    })

    const bytes = readFileSync(shipped('dog.mp4'))

    function stream(options: Partial<StreamInput> = {}): StreamInput & { closed: number } {
      const input = {
        kind: 'stream' as const,
        name: 'the stream',
        size: bytes.length,
        seekable: true,
        closed: 0,
        read: async (position: number, length: number) =>
          bytes.subarray(position, position + Math.min(length, 5000)),
        async close() {
          input.closed += 1
        },
        ...options,
      }
      return input
    }

    it('gives the frames of its bytes and is closed at the end', async () => {
      const input = stream()
      expect((await readVideo(create(), input)).times).toHaveLength(368)
      expect(input.closed).toBe(1)
    })

    it('is never asked to go back when it cannot, but to start over', async () => {
      const positions: number[] = []
      const input = stream({
        seekable: false,
        read: async (position, length) => {
          positions.push(position)
          return bytes.subarray(position, position + length)
        },
      })
      expect((await readVideo(create(), input)).times).toHaveLength(368)
      expect(positions).toEqual(positions.toSorted((a, b) => a - b))
    })

    it.skipIf(!hasFfmpeg)('whose index comes last is read all the same', async () => {
      const last = readFileSync(clip('last.mp4', '-i', shipped('dog.mp4'), '-c', 'copy'))
      expect(last.indexOf('moov')).toBeGreaterThan(last.indexOf('mdat'))
      const input = stream({
        size: last.length,
        read: async (position, length) => last.subarray(position, position + length),
      })
      expect((await readVideo(create(), input)).times).toHaveLength(368)
    })

    it('that fails is the failure of the video', async () => {
      const input = stream({
        read: async (position, length) => {
          if (position > 300_000) throw new Error('the line is dead')
          return bytes.subarray(position, position + length)
        },
      })
      await expect(readVideo(create(), input)).rejects.toThrow('the line is dead')
    })

    it('that is silent ends when it is aborted, and is closed', async () => {
      const abort = new AbortController()
      const input = stream({
        read: (position, length) =>
          position < bytes.length / 2
            ? Promise.resolve(bytes.subarray(position, position + length))
            : new Promise((_, reject) => {
                abort.signal.addEventListener('abort', () => reject(abort.signal.reason))
              }),
      })
      const { times } = await readVideo(create(), input, { signal: abort.signal }, async () =>
        abort.abort(),
      )
      expect(times).toHaveLength(1)
      expect(input.closed).toBe(1)
    })

    it('that is a playlist is refused', async () => {
      const playlist = Buffer.from('#EXTM3U\n#EXT-X-VERSION:3\nhttp://10.0.0.1/a.ts\n')
      const input = stream({
        size: playlist.length,
        read: async (position, length) => playlist.subarray(position, position + length),
      })
      await expect(readVideo(create(), input)).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' })
      expect(input.closed).toBe(1)
    })
  })
}
