import { describe, expect, it } from 'vitest'
import type { VideoPacket } from '../../agent/core/video.ts'
import type { EncodeOptions, MediaEngine } from '../../agent/media/engine.ts'
import { nalType, nalTypes, nalUnits, parameterSets } from '../../agent/mux/h264.ts'
import { colourByFfprobe, decodedAnnexB } from './annex-b.ts'
import { encodeNoise, encodeSeries, interval, withEncoder } from './encoding.ts'
import { paintPicture, pictureBytes, psnr } from './moving-picture.ts'

/** Makes an engine that this machine has. */
export type MakeEngine = () => MediaEngine

const small: EncodeOptions = {
  codec: 'h264',
  width: 320,
  height: 180,
  fps: 30,
  bitrate: 2_000_000,
  keyIntervalS: 10,
  encoder: 'auto',
}
const sizes = [
  [176, 144],
  [322, 242],
  [1920, 1080],
] as const

/** What every engine's encoder must keep to. Needs the ffmpeg program to look at what comes out. */
export function conformsToEncoding(name: string, create: MakeEngine): void {
  describe(`${name} encodes`, () => {
    it.each(sizes)('pictures of %d×%d so that others see them', async (width, height) => {
      const options = { ...small, width, height, bitrate: width * height * 6 }
      const packets = await withEncoder(create(), options, (encoder) => encodeSeries(encoder, 8))
      const seen = decodedAnnexB(packets, width, height)
      expect(seen).toHaveLength(8)
      const likeness = seen.map((bytes, index) => psnr(bytes, pictureBytes(width, height, index)))
      expect(Math.min(...likeness)).toBeGreaterThan(30)
      expect(psnr(seen[0] ?? Buffer.of(), pictureBytes(width, height, 1))).toBeLessThan(28)
    })

    it('one packet for each picture at once, under its time, however irregular', async () => {
      const times = [0, 3000, 3001, 45_000, 90_000, 900_000]
      await withEncoder(create(), small, async (encoder) => {
        for (const [index, pts] of times.entries()) {
          paintPicture(encoder.picture, index)
          const packets = await encoder.encode(pts, false)
          expect(packets.map((packet) => packet.pts)).toEqual([pts])
        }
      })
    })

    it('a key picture first and where one is asked for, and no other', async () => {
      const asked = [3, 7, 8]
      const packets = await withEncoder(create(), small, (encoder) =>
        encodeSeries(encoder, 12, (index) => asked.includes(index)),
      )
      expect(keysOf(packets)).toEqual([0, ...asked])
      for (const { key, data } of packets) {
        const types = [...nalUnits(data)].map(nalType)
        expect(types.includes(nalTypes.idr)).toBe(key)
        expect(types.includes(nalTypes.slice)).toBe(!key)
      }
    })

    it('a key picture before its interval has passed, counted in time, not in pictures', async () => {
      const options = { ...small, keyIntervalS: 1 }
      const quarter = 22_500
      const packets = await withEncoder(create(), options, (encoder) =>
        encodeSeries(encoder, 10, () => false, quarter),
      )
      const keys = packets.filter(({ key }) => key).map(({ pts }) => pts)
      expect(keys).toEqual([0, 4 * quarter, 8 * quarter])
    })

    it('to access units that begin with a start code and hold no delimiter', async () => {
      const packets = await withEncoder(create(), small, (encoder) => encodeSeries(encoder, 4))
      for (const { data } of packets) {
        expect([0, 1]).toContain(data[2])
        expect(Buffer.from(data.subarray(0, 2))).toEqual(Buffer.alloc(2))
        expect([...nalUnits(data)].map(nalType)).not.toContain(nalTypes.delimiter)
      }
    })

    it('with parameter sets in every key packet, so that decoding can begin at each', async () => {
      const packets = await withEncoder(create(), small, (encoder) =>
        encodeSeries(encoder, 9, (index) => index === 5),
      )
      expect(packets.filter(({ key }) => key).map(({ data }) => parameterSets(data))).toEqual([
        { sps: expect.anything(), pps: expect.anything() },
        { sps: expect.anything(), pps: expect.anything() },
      ])
      const late = decodedAnnexB(packets.slice(5), small.width, small.height)
      expect(late).toHaveLength(4)
      expect(psnr(late[0] ?? Buffer.of(), pictureBytes(320, 180, 5))).toBeGreaterThan(30)
    })

    it('and says that the colours are BT.709, limited range', async () => {
      const packets = await withEncoder(create(), small, (encoder) => encodeSeries(encoder, 2))
      expect(colourByFfprobe(packets)).toEqual({
        color_range: 'tv',
        color_space: 'bt709',
        color_transfer: 'bt709',
        color_primaries: 'bt709',
        has_b_frames: 0,
      })
    })

    it('near the rate that was asked for', async () => {
      const options = { ...small, bitrate: 400_000 }
      const packets = await withEncoder(create(), options, (encoder) => encodeNoise(encoder, 120))
      const bits = packets.reduce((sum, { data }) => sum + data.length * 8, 0)
      expect(bits / 4).toBeGreaterThan(200_000)
      expect(bits / 4).toBeLessThan(700_000)
    })
  })

  describe(`${name}, encoding,`, () => {
    it('has one memory for pictures, which is free again when the packet is there', async () => {
      await withEncoder(create(), small, async (encoder) => {
        const { picture } = encoder
        paintPicture(picture, 0)
        const packets = [...(await encoder.encode(0, true))]
        paintPicture(picture, 50)
        packets.push(...(await encoder.encode(interval, false)))
        expect(encoder.picture.y).toBe(picture.y)
        const [first, second] = decodedAnnexB(packets, small.width, small.height)
        expect(psnr(first ?? Buffer.of(), pictureBytes(320, 180, 0))).toBeGreaterThan(30)
        expect(psnr(second ?? Buffer.of(), pictureBytes(320, 180, 50))).toBeGreaterThan(30)
      })
    })

    it('begins with a black picture', async () => {
      await withEncoder(create(), small, async ({ picture }) => {
        expect(new Set(picture.y)).toEqual(new Set([16]))
        expect(new Set(picture.u)).toEqual(new Set([128]))
      })
    })

    it('leaves the thread free meanwhile', async () => {
      const options = { ...small, width: 1920, height: 1080 }
      await withEncoder(create(), options, async (encoder) => {
        paintPicture(encoder.picture, 0)
        let turns = 0
        let done = false
        const turn = () => {
          turns += 1
          if (!done) setImmediate(turn)
        }
        setImmediate(turn)
        await encoder.encode(0, true)
        done = true
        expect(turns).toBeGreaterThan(10)
      })
    })

    it('closes while a picture is being encoded, and again', async () => {
      const encoder = await create().encode({ ...small, width: 1280, height: 720 })
      paintPicture(encoder.picture, 0)
      const under = encoder.encode(0, true).catch((error: unknown) => error)
      await encoder.close()
      await encoder.close()
      await under
      // The memory is still there: drawing into it must not bring down the process.
      paintPicture(encoder.picture, 1)
      await expect(encoder.encode(interval, false)).rejects.toMatchObject({ code: 'INTERNAL' })
    })

    it('opens and closes many at once', async () => {
      const engine = create()
      const encoders = await Promise.all(Array.from({ length: 4 }, () => engine.encode(small)))
      const firsts = await Promise.all(encoders.map((encoder) => encoder.encode(0, false)))
      await Promise.all(encoders.map((encoder) => encoder.close()))
      expect(firsts.flat().map(({ key }) => key)).toEqual([true, true, true, true])
    })

    it('does not grow over 2,000 pictures', async () => {
      const options = { ...small, width: 192, height: 108, bitrate: 300_000 }
      await withEncoder(create(), options, async (encoder) => {
        const run = async (from: number, to: number) => {
          for (let index = from; index < to; index++) await encoder.encode(index * interval, false)
        }
        await run(0, 1000)
        const before = process.memoryUsage.rss()
        await run(1000, 3000)
        // 2,000 pictures have 62 MB of pixels: a leak of any of it would show.
        expect(process.memoryUsage.rss() - before).toBeLessThan(20e6)
      })
    }, 60_000)
  })
}

/** What every engine says about codecs must be true. */
export function conformsToCodecs(name: string, create: MakeEngine, video: string): void {
  const wanted = { signal: new AbortController().signal, threads: 1, maxPixels: 1e8 }

  describe(`${name} knows its codecs`, () => {
    it('by names, and decodes in software', async () => {
      const { decoders, encoders } = await create().codecs()
      expect(decoders).toContain('software')
      expect(encoders.length).toBeGreaterThan(0)
    })

    it('and encodes by each that it names', async () => {
      const engine = create()
      const { encoders } = await engine.codecs()
      for (const encoder of encoders) {
        const used = await withEncoder(engine, { ...small, encoder }, async (opened) => {
          expect(await opened.encode(0, false)).toHaveLength(1)
          return opened.name
        })
        expect(used).toBe(encoder)
      }
    })

    it('and takes one of them for auto', async () => {
      const engine = create()
      const { encoders } = await engine.codecs()
      const used = await withEncoder(engine, small, async (opened) => opened.name)
      expect(encoders).toContain(used)
    })

    it('and decodes by each that it names, to the same picture', async () => {
      const engine = create()
      const { decoders } = await engine.codecs()
      const sizes = new Set<string>()
      for (const decoder of decoders) {
        const reader = await engine.open(
          { kind: 'file', path: video },
          { ...wanted, decode: 'all', decoder },
        )
        const next = await reader.next()
        sizes.add(`${next?.frame.width}×${next?.frame.height}`)
        next?.frame.release()
        await reader.close()
      }
      expect(sizes.size).toBe(1)
      expect([...sizes]).not.toContain('undefined×undefined')
    })

    it('and refuses an encoder that is not there, naming those that are', async () => {
      const engine = create()
      const { encoders } = await engine.codecs()
      const opening = engine.encode({ ...small, encoder: 'h264_nowhere' })
      await expect(opening).rejects.toMatchObject({
        code: 'BACKEND_UNAVAILABLE',
        message: expect.stringMatching(new RegExp(`h264_nowhere.*${encoders.join(' ')}`)),
      })
    })

    it('and refuses a decoder that is not there, naming those that are', async () => {
      const engine = create()
      const { decoders } = await engine.codecs()
      const opening = engine.open(
        { kind: 'file', path: video },
        { ...wanted, decode: 'all', decoder: 'crystal' },
      )
      await expect(opening).rejects.toMatchObject({
        code: 'BACKEND_UNAVAILABLE',
        message: expect.stringMatching(new RegExp(`crystal.*${decoders.join(' ')}`)),
      })
    })
  })
}

function keysOf(packets: readonly VideoPacket[]): number[] {
  return packets.flatMap(({ key }, index) => (key ? [index] : []))
}
