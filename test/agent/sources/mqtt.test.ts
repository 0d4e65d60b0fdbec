import { afterEach, describe, expect, it } from 'vitest'
import type { Sample } from '../../../agent/core/stages.ts'
import { liveFrames } from '../../../agent/media/frame-count.ts'
import type { FeedImage, ImageFeed } from '../../../agent/sources/context.ts'
import { createSource } from '../../../agent/sources/registry.ts'
import { conformsToSource } from '../../conformance/source.ts'
import { smallPicture, sourceContext, type Witness, witness } from './surroundings.ts'
import { media } from './web-server.ts'

/** A feed that tests publish on. */
function feed(): ImageFeed & { publish(payload: Uint8Array, at?: number): void; takers: number } {
  const takers = new Set<(image: FeedImage) => void>()
  return {
    get takers() {
      return takers.size
    },
    subscribe(topic, take) {
      expect(topic).toBe('line/camera')
      takers.add(take)
      return () => takers.delete(take)
    },
    publish(payload, at = Date.now()) {
      for (const take of takers) take({ payload, at })
    },
  }
}

/** A feed on which `payload` comes all the time. */
function busyFeed(payload: Uint8Array): ImageFeed {
  return {
    subscribe(_topic, take) {
      const timer = setInterval(() => take({ payload, at: Date.now() }), 5)
      return () => clearInterval(timer)
    },
  }
}

function open(images: ImageFeed, fps?: number) {
  const spec = { url: 'mqtt:line/camera', ...(fps === undefined ? {} : { fps }) }
  return createSource(spec, sourceContext({}, { images }))
}

function start(images: ImageFeed, events: Witness = witness(), fps?: number) {
  const samples = open(images, fps).samples(new AbortController().signal, events)
  return samples[Symbol.asyncIterator]()
}

async function taken(next: Promise<IteratorResult<Sample>>): Promise<Omit<Sample, 'frame'>> {
  const { value } = await next
  const { frame, ...rest } = value as Sample
  frame.release()
  return rest
}

afterEach(() => {
  expect(liveFrames()).toBe(0)
})

conformsToSource('pictures on a topic', async () => open(busyFeed(await smallPicture())))

describe('pictures on a topic', () => {
  it('are live', () => {
    expect(open(feed()).live).toBe(true)
  })

  it('are captured when the agent got them', async () => {
    const images = feed()
    const samples = start(images)
    const next = samples.next()
    images.publish(media('dog.jpg'), 1_790_000_000_123)
    expect(await taken(next)).toMatchObject({ capturedAt: 1_790_000_000_123 })
    await samples.return?.()
    expect(images.takers).toBe(0)
  })

  it('replace each other while nobody takes them, and are counted', async () => {
    const images = feed()
    const events = witness()
    const samples = start(images, events)
    const first = samples.next()
    images.publish(media('dog.jpg'), 1)
    await taken(first)
    for (const at of [2, 3, 4]) images.publish(media('dog.jpg'), at)
    expect(await taken(samples.next())).toMatchObject({ capturedAt: 4 })
    expect(events.drops).toBe(2)
    await samples.return?.()
  })

  it('that cannot be decoded are skipped', async () => {
    const images = feed()
    const events = witness()
    const samples = start(images, events)
    const next = samples.next()
    images.publish(Buffer.from('no picture'), 1)
    while (events.errors.length === 0) await new Promise((resolve) => setImmediate(resolve))
    images.publish(media('dog.jpg'), 2)
    expect(await taken(next)).toMatchObject({ capturedAt: 2 })
    expect(events.errors).toMatchObject([{ code: 'SOURCE_DECODE' }])
    await samples.return?.()
  })

  it('come no faster than wanted', async () => {
    const samples = start(busyFeed(await smallPicture()), witness(), 20)
    await taken(samples.next())
    const startedAt = performance.now()
    for (let count = 0; count < 4; count++) await taken(samples.next())
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(195)
    await samples.return?.()
  })

  it.each(['mqtt:', 'mqtt://broker/topic', 'mqtt:line/#', 'mqtt:+/camera'])(
    'need one topic of the own broker: %s is refused',
    (url) => {
      expect(() => createSource({ url }, sourceContext())).toThrow(
        expect.objectContaining({ code: 'SOURCE_UNSUPPORTED' }),
      )
    },
  )
})
