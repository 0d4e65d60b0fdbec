import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import { AgentError } from '../../../agent/core/errors.ts'
import type { Delivered, Source } from '../../../agent/core/stages.ts'
import { liveFrames } from '../../../agent/media/frame-count.ts'
import { PRIORITY_LANE } from '../../../agent/pipeline/fair-queue.ts'
import type { Loaded } from '../../../agent/pipeline/results.ts'
import { UNTAKEN } from '../../../agent/service/once-jobs.ts'
import { GREY, OnceStage, sample, size } from './once-stage.ts'

afterEach(() => {
  expect(liveFrames()).toBe(0)
})

/** Takes every answer as soon as it comes, `count` of them. */
async function takeAll(stage: OnceStage, request: string, count: number): Promise<number[]> {
  for (let at = 1; at <= count; at += 1) {
    await stage.until('once/answer', request, at)
    stage.jobs.taken(request)
  }
  await stage.until('once/done', request)
  return stage.of('once/answer', request).map(({ answer }) => answer.result.seq)
}

const upTo = (count: number) => Array.from({ length: count }, (_, seq) => seq)

describe('requests for one result', () => {
  it('are answered once per picture, in order, then over', async () => {
    const stage = new OnceStage()
    stage.start('a', 100, { tag: 'part-7' })
    expect(await takeAll(stage, 'a', 100)).toEqual(upTo(100))
    expect(stage.posted.at(-1)).toEqual({ type: 'once/done', request: 'a' })
    const [first] = stage.of('once/answer', 'a')
    expect(first?.answer).not.toHaveProperty('picture')
    expect(first?.answer.result).toMatchObject({ input: 'once', tag: 'part-7', ...size })
  })

  it('stand still while their answers are not taken, and hold up no others', async () => {
    const stage = new OnceStage()
    stage.start('slow', 1000)
    await stage.until('once/answer', 'slow', UNTAKEN)
    stage.start('quick', 50)
    expect(await takeAll(stage, 'quick', 50)).toEqual(upTo(50))
    expect(stage.of('once/answer', 'slow')).toHaveLength(UNTAKEN)
    expect(stage.read['1000']).toBeLessThanOrEqual(UNTAKEN + 3)
    stage.jobs.taken('slow')
    await stage.until('once/answer', 'slow', UNTAKEN + 1)
    stage.jobs.cancel('slow')
    await stage.until('once/done', 'slow')
  })

  it('that are cancelled post nothing more but that they are over', async () => {
    const stage = new OnceStage()
    stage.start('a', 1000, { picture: 'jpeg' })
    await stage.until('once/answer', 'a', 2)
    stage.jobs.cancel('a')
    const before = stage.posted.length
    await stage.until('once/done', 'a')
    expect(stage.posted.slice(before)).toEqual([{ type: 'once/done', request: 'a' }])
    expect(liveFrames()).toBe(0)
  })

  it('can be cancelled while they wait for a model that does not come', async () => {
    const stage = new OnceStage({}, new Promise<Loaded>(() => {}))
    stage.start('a', 3)
    await expect.poll(() => stage.read['3']).toBe(3)
    stage.jobs.cancel('a')
    await stage.until('once/done', 'a')
    expect(stage.posted).toHaveLength(1)
  })

  it('run ahead of everything with their first picture, and take turns with the others', async () => {
    const stage = new OnceStage()
    stage.start('a', 3)
    await takeAll(stage, 'a', 3)
    expect(stage.lanes).toEqual([PRIORITY_LANE, expect.any(String), expect.any(String)])
    expect(stage.lanes[1]).not.toBe(PRIORITY_LANE)
    stage.start('b', 2)
    await takeAll(stage, 'b', 2)
    expect(stage.lanes[3]).toBe(PRIORITY_LANE)
    expect(stage.lanes[4]).not.toBe(stage.lanes[1])
  })

  it('fail with what their source raises', async () => {
    const forbidden = new AgentError('SOURCE_FORBIDDEN', 'not there')
    const stage = new OnceStage({
      source: () => {
        throw forbidden
      },
    })
    stage.start('a', 1)
    await stage.until('once/failed', 'a')
    expect(stage.posted).toEqual([{ type: 'once/failed', request: 'a', error: forbidden.toInfo() }])
  })

  it('give one result of a live source', async () => {
    const live: Source = {
      live: true,
      async *samples(signal) {
        for (let at = 0; !signal.aborted; at += 1) yield sample(at)
      },
    }
    const stage = new OnceStage({ source: () => live })
    stage.start('a', 1)
    await stage.until('once/done', 'a')
    expect(stage.of('once/answer', 'a')).toHaveLength(1)
  })

  it('are published with their tag when they are to be', async () => {
    const published: Delivered[] = []
    const stage = new OnceStage({ publish: (delivered) => void published.push(delivered) })
    stage.start('silent', 1)
    await stage.until('once/done', 'silent')
    stage.start('told', 1, { publish: true, tag: 'part-7' })
    await stage.until('once/done', 'told')
    expect(published).toMatchObject([{ requested: true, result: { tag: 'part-7' } }])
  })

  it('end when the service does', async () => {
    const stage = new OnceStage()
    stage.start('a', 1000)
    stage.start('b', 1000)
    await stage.until('once/answer', 'b')
    await stage.jobs.close()
    expect(stage.posted.filter(({ type }) => type === 'once/done')).toHaveLength(2)
  })
})

describe('the picture of an answer', () => {
  it.each(['jpeg', 'png'] as const)(
    'is the whole picture with what was found: %s',
    async (format) => {
      const stage = new OnceStage()
      stage.start('a', 1, { picture: format })
      await stage.until('once/done', 'a')
      const [first] = stage.of('once/answer', 'a')
      const picture = sharp(first?.answer.picture)
      expect(await picture.metadata()).toMatchObject({ format, ...size })
      const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true })
      const greyAt = (x: number, y: number) => {
        const at = (y * size.width + x) * info.channels
        return [...data.subarray(at, at + 3)].every((value) => Math.abs(value - GREY) <= 2)
      }
      expect([greyAt(150, 110), greyAt(40, 50), greyAt(20, 50)]).toEqual([true, true, false])
    },
  )

  it('waits for its turn, and stays with its result, when many are asked for at once', async () => {
    const stage = new OnceStage()
    const names = upTo(8).map((index) => `r${index}`)
    for (const name of names) stage.start(name, 12, { picture: 'jpeg' })
    const seqs = await Promise.all(names.map((name) => takeAll(stage, name, 12)))
    expect(seqs).toEqual(names.map(() => upTo(12)))
    const pictures = stage.posted.filter(
      (message) => message.type === 'once/answer' && (message.answer.picture?.length ?? 0) > 0,
    )
    expect(pictures).toHaveLength(96)
  })
})
