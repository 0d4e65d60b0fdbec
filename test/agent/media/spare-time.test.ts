import { describe, expect, it } from 'vitest'
import { onOtherThreads, SpareTime, type Workplace } from '../../../agent/media/spare-time.ts'

/** A thread whose time passes only while a test says what it does. */
function standingThread() {
  const state = { now: 1000, busy: 400 }
  return {
    now: () => state.now,
    busyMs: () => state.busy,
    idle: (ms: number) => {
      state.now += ms
    },
    work: (ms: number) => {
      state.now += ms
      state.busy += ms
    },
  }
}

type Thread = ReturnType<typeof standingThread>

/** Work of `ms`, and where it was done. */
async function doneAt(place: Workplace, thread: Thread, ms: number): Promise<'here' | 'elsewhere'> {
  return await place.do(
    () => {
      thread.work(ms)
      return 'here' as const
    },
    async () => {
      thread.idle(ms)
      return 'elsewhere' as const
    },
  )
}

/** A picture every `everyMs` whose work takes `ms`, beside other work of `otherMs`; the share that was done here. */
async function shareHere(
  spare: { readonly place: Workplace; readonly thread: Thread },
  picture: { readonly everyMs: number; readonly ms: number; readonly otherMs: number },
  pictures = 300,
): Promise<number> {
  const { place, thread } = spare
  let here = 0
  for (let index = 0; index < pictures; index++) {
    const due = thread.now() + picture.everyMs
    if ((await doneAt(place, thread, picture.ms)) === 'here') here += 1
    thread.work(picture.otherMs)
    thread.idle(Math.max(0, due - thread.now()))
  }
  return here / pictures
}

function spareTime() {
  const thread = standingThread()
  return { thread, place: new SpareTime(thread).workplace() }
}

describe('spare time', () => {
  it('does what takes a third of the time here, once it has seen how long it takes', async () => {
    const spare = spareTime()
    const picture = { everyMs: 33, ms: 11, otherMs: 2 }
    await shareHere(spare, picture, 10)
    expect(await shareHere(spare, picture)).toBe(1)
  })

  it('gives the first work of a kind to another thread, since it may take any time', async () => {
    const thread = standingThread()
    const spare = new SpareTime(thread)
    await shareHere({ thread, place: spare.workplace() }, { everyMs: 33, ms: 5, otherMs: 0 })
    const place = spare.workplace()
    expect(await doneAt(place, thread, 5)).toBe('elsewhere')
    expect(await doneAt(place, thread, 5)).toBe('here')
  })

  it('never keeps this thread busy for more than three quarters of its time', async () => {
    const spare = spareTime()
    const picture = { everyMs: 20, ms: 10, otherMs: 8 }
    await shareHere(spare, picture, 50)
    const [began, busy] = [spare.thread.now(), spare.thread.busyMs()]
    const share = await shareHere(spare, picture)
    const busyShare = (spare.thread.busyMs() - busy) / (spare.thread.now() - began)
    expect(busyShare).toBeCloseTo(0.75, 1)
    expect(share).toBeGreaterThan(0.5)
    expect(share).toBeLessThan(0.9)
  })

  it('does nothing here where the thread is busy with other things', async () => {
    const spare = spareTime()
    const picture = { everyMs: 20, ms: 3, otherMs: 16 }
    await shareHere(spare, picture, 50)
    expect(await shareHere(spare, picture)).toBe(0)
  })

  it('shares one thread among several kinds of work', async () => {
    const thread = standingThread()
    const spare = new SpareTime(thread)
    const places = Array.from({ length: 8 }, () => spare.workplace())
    const [began, busy] = [thread.now(), thread.busyMs()]
    for (let round = 0; round < 100; round++) {
      for (const place of places) await doneAt(place, thread, 8)
    }
    expect((thread.busyMs() - busy) / (thread.now() - began)).toBeLessThan(0.8)
  })

  it('leaves work that would hold up everything else to other threads', async () => {
    const spare = spareTime()
    expect(await shareHere(spare, { everyMs: 200, ms: 40, otherMs: 0 })).toBe(0)
  })

  it('counts work that fails, and passes the failure on', async () => {
    const { thread, place } = spareTime()
    await shareHere({ thread, place }, { everyMs: 33, ms: 5, otherMs: 0 }, 50)
    const fail = () => {
      thread.work(200)
      throw new Error('damaged')
    }
    expect(() => place.do(fail, async () => undefined)).toThrow('damaged')
    expect(await doneAt(place, thread, 15)).toBe('elsewhere')
  })

  it('is not asked for work that may wait', async () => {
    const thread = standingThread()
    expect(await doneAt(onOtherThreads, thread, 1)).toBe('elsewhere')
  })
})
