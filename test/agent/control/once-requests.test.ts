import { describe, expect, it, onTestFinished } from 'vitest'
import {
  listed,
  type OnceOptions,
  type OnceRequest,
  OnceRequests,
} from '../../../agent/control/once-requests.ts'
import { AgentError } from '../../../agent/core/errors.ts'
import type { OnceAnswer } from '../../../agent/service/messages.ts'
import { result } from '../sinks/surroundings.ts'

const answer = (seq: number): OnceAnswer => ({ result: result(seq) })
const request = (tag: string): OnceRequest => ({ spec: { url: 'a.jpg' }, tag, publish: false })
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A service that does nothing by itself: what it was told, and what it has begun, by the requests' tags. */
function service({ concurrency = 1, queue = 2, timeoutMs = 60_000 } = {}) {
  const told: string[] = []
  const underWay = new Map<string, string>()
  const requests = new OnceRequests({
    limits: { onceConcurrency: concurrency, onceQueue: queue },
    timeoutMs,
    underWay: () => underWay.size,
    begin({ request: id, tag = '' }) {
      underWay.set(tag, id)
      told.push(`begin ${tag}`)
    },
    cancel: (id) => void told.push(`cancel ${tagOf(id)}`),
    taken: (id) => void told.push(`taken ${tagOf(id)}`),
  })
  const tagOf = (id: string) => [...underWay].find(([, known]) => known === id)?.[0]
  const idOf = (tag: string) => underWay.get(tag) ?? ''
  onTestFinished(() => requests.close(new AgentError('CONFLICT', 'the test is over')))
  return {
    told,
    requests,
    ask: (tag: string, options?: OnceOptions) => requests.ask(request(tag), options),
    give: (tag: string, ...seqs: number[]) => {
      for (const seq of seqs) requests.answered(idOf(tag), answer(seq))
    },
    end(tag: string, error?: AgentError) {
      const id = idOf(tag)
      underWay.delete(tag)
      requests.over(id, error)
      requests.admit()
    },
  }
}

async function seqsOf(answers: AsyncIterable<OnceAnswer>): Promise<number[]> {
  const seqs: number[] = []
  for await (const { result } of answers) seqs.push(result.seq)
  return seqs
}

describe('requests for one result', () => {
  it('begin when they are first pulled, and give their answers in order', async () => {
    const { told, ask, give, end } = service()
    const answers = ask('a')
    expect(told).toEqual([])
    const seqs = seqsOf(answers)
    give('a', 0, 1)
    await soon()
    give('a', 2)
    end('a')
    expect(await seqs).toEqual([0, 1, 2])
  })

  it('tell the service that an answer was taken only when the next one is asked for', async () => {
    const { told, ask, give } = service()
    const answers = ask('a')
    const first = answers.next()
    give('a', 0, 1)
    expect((await first).value?.result.seq).toBe(0)
    await soon()
    expect(told).toEqual(['begin a'])
    expect((await answers.next()).value?.result.seq).toBe(1)
    expect(told).toEqual(['begin a', 'taken a'])
  })

  it('wait for their turn, first come, first served, and are refused when too many wait', async () => {
    const { told, ask, give, end } = service({ concurrency: 2, queue: 3 })
    const all = ['a', 'b', 'c', 'd', 'e'].map((tag) => seqsOf(ask(tag)))
    await expect(ask('f').next()).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      retryable: true,
      message: expect.stringMatching(/limits\.onceConcurrency.*limits\.onceQueue/),
    })
    expect(told).toEqual(['begin a', 'begin b'])
    for (const tag of ['b', 'a', 'c', 'd', 'e']) {
      give(tag, 7)
      end(tag)
    }
    expect(told).toEqual(['begin a', 'begin b', 'begin c', 'begin d', 'begin e'])
    expect(await Promise.all(all)).toEqual([[7], [7], [7], [7], [7]])
  })

  it('end while they wait without the service ever hearing of them', async () => {
    const { told, ask, end } = service()
    const first = seqsOf(ask('a'))
    const abort = new AbortController()
    const waiting = ask('b', { signal: abort.signal }).next()
    const behind = seqsOf(ask('c'))
    abort.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'CONFLICT' })
    end('a')
    end('c')
    await Promise.all([first, behind])
    expect(told).toEqual(['begin a', 'begin c'])
  })

  it('keep their place until the service has let go of them', async () => {
    const { told, ask, give, end } = service()
    const abort = new AbortController()
    const answers = ask('a', { signal: abort.signal })
    const first = answers.next()
    give('a', 0, 1)
    await first
    const behind = seqsOf(ask('b'))
    abort.abort()
    expect(told).toEqual(['begin a', 'cancel a'])
    await expect(answers.next()).rejects.toMatchObject({ code: 'CONFLICT' })
    end('a')
    expect(told).toEqual(['begin a', 'cancel a', 'begin b'])
    end('b')
    await behind
  })

  it('end when their reader leaves the loop', async () => {
    const { told, ask, give } = service()
    const read = (async () => {
      for await (const _ of ask('a')) break
    })()
    give('a', 0)
    await read
    expect(told).toEqual(['begin a', 'cancel a'])
  })

  it('are not begun for somebody who is gone already', async () => {
    const { ask } = service()
    const gone = ask('a', { signal: AbortSignal.abort() }).next()
    await expect(gone).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('time out when nothing moves, the wait for their turn included', async () => {
    const { told, ask } = service({ timeoutMs: 20 })
    const stuck = ask('a').next()
    const waiting = ask('b').next()
    for (const late of [stuck, waiting]) {
      await expect(late).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true })
    }
    expect(told).toEqual(['begin a', 'cancel a'])
  })

  it('time out when their reader takes nothing, though it asks for nothing either', async () => {
    const timeoutMs = 20
    let cancelled: () => void = () => {}
    const gone = new Promise<void>((resolve) => {
      cancelled = resolve
    })
    const requests = new OnceRequests({
      limits: { onceConcurrency: 1, onceQueue: 1 },
      timeoutMs,
      underWay: () => 0,
      begin: ({ request: id }) => void requests.answered(id, answer(0)),
      cancel: () => cancelled(),
      taken: () => undefined,
    })
    const answers = requests.ask(request('a'))
    expect((await answers.next()).value?.result.seq).toBe(0)
    await gone
    await expect(answers.next()).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  it('give what has come before they fail', async () => {
    const { ask, give, end } = service()
    const answers = ask('a')
    const first = answers.next()
    give('a', 0, 1)
    end('a', new AgentError('SERVICE_CRASHED', 'SIGSEGV', { retryable: true }))
    expect((await first).value?.result.seq).toBe(0)
    expect((await answers.next()).value?.result.seq).toBe(1)
    await expect(answers.next()).rejects.toMatchObject({ code: 'SERVICE_CRASHED', retryable: true })
  })

  it('fail when the service is stopped, and from then on', async () => {
    const { requests, ask } = service()
    const all = ['a', 'b'].map((tag) => ask(tag).next())
    requests.close(new AgentError('CONFLICT', 'the service is stopping'))
    for (const asked of [...all, ask('c').next()]) {
      await expect(asked).rejects.toThrow('stopping')
    }
  })
})

describe('a list of results', () => {
  async function* many(count: number): AsyncGenerator<OnceAnswer> {
    for (let seq = 0; seq < count; seq += 1) yield answer(seq)
  }

  it('holds a thousand', async () => {
    expect(await listed(() => many(1000))).toHaveLength(1000)
  })

  it('is refused past that, and the request ended', async () => {
    const { told, ask, give } = service()
    const list = listed((options) => ask('a', options))
    give('a', ...Array.from({ length: 1001 }, (_, seq) => seq))
    await expect(list).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', retryable: false })
    expect(told.at(-1)).toBe('cancel a')
  })
})
