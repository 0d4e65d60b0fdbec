import { describe, expect, it } from 'vitest'
import { AgentError } from '../../../agent/core/errors.ts'
import { DeliveryQueue, type Outcome } from '../../../agent/sinks/delivery-queue.ts'

const away = new AgentError('SINK_FAILED', 'away', { retryable: true })
const later: Outcome = { kind: 'later', error: away }

function queue(bounds: { maxCount?: number; maxBytes?: number } = {}) {
  const troubles: (AgentError | undefined)[] = []
  const made = new DeliveryQueue({
    maxCount: 1000,
    maxBytes: 1_000_000,
    troubled: (error) => troubles.push(error),
    ...bounds,
  })
  return { made, troubles }
}

/** A destination that is away until it is told otherwise. */
function destination() {
  const seen: number[] = []
  let isBack = false
  const add = (to: DeliveryQueue, id: number, bytes = 1) =>
    to.add({
      bytes,
      async attempt() {
        if (!isBack) return later
        seen.push(id)
        return { kind: 'delivered' }
      },
    })
  return {
    seen,
    add,
    comesBack: () => {
      isBack = true
    },
  }
}

const kinds = async (all: readonly Promise<void>[]) =>
  (await Promise.allSettled(all)).map((one) =>
    one.status === 'fulfilled' ? 'delivered' : one.reason.code,
  )

describe('the delivery queue', () => {
  it('gives up the oldest that are not under way when there are too many', async () => {
    const { made } = queue({ maxCount: 3 })
    const { seen, add, comesBack } = destination()
    const all = [0, 1, 2, 3, 4].map((id) => add(made, id))
    comesBack()
    expect(await kinds(all)).toEqual([
      'delivered',
      'LIMIT_EXCEEDED',
      'LIMIT_EXCEEDED',
      'delivered',
      'delivered',
    ])
    expect(seen).toEqual([0, 3, 4])
  })

  it('gives up the oldest when they are too large together', async () => {
    const { made } = queue({ maxBytes: 100 })
    const { seen, add, comesBack } = destination()
    const all = [0, 1, 2].map((id) => add(made, id, 40))
    comesBack()
    expect(await kinds(all)).toEqual(['delivered', 'LIMIT_EXCEEDED', 'delivered'])
    expect(seen).toEqual([0, 2])
  })

  it('tells each trouble, and once that it is over', async () => {
    const { made, troubles } = queue()
    const { add, comesBack } = destination()
    const first = add(made, 0)
    comesBack()
    await first
    await add(made, 1)
    expect(troubles).toEqual([away, undefined])
  })

  it('ends with what makes going on useless', async () => {
    const { made } = queue()
    const forbidden = new AgentError('SINK_FORBIDDEN', 'no')
    const attempt = async (): Promise<Outcome> => ({ kind: 'hopeless', error: forbidden })
    const all = [0, 1].map(() => made.add({ bytes: 1, attempt }))
    expect(await kinds(all)).toEqual(['SINK_FORBIDDEN', 'SINK_FORBIDDEN'])
    await expect(made.add({ bytes: 1, attempt })).rejects.toBe(forbidden)
  })

  it('closes at once while the destination is away', async () => {
    const { made, troubles } = queue()
    const { add } = destination()
    const all = [0, 1].map((id) => add(made, id))
    const results = kinds(all)
    await expect.poll(() => troubles.length).toBeGreaterThan(0)
    const start = performance.now()
    await made.close(60_000, away)
    expect(performance.now() - start).toBeLessThan(1000)
    expect(await results).toEqual(['SINK_FAILED', 'SINK_FAILED'])
  })

  it('takes what comes the moment after it was empty', async () => {
    const { made } = queue()
    const { seen, add, comesBack } = destination()
    comesBack()
    for (let id = 0; id < 50; id += 1) await add(made, id)
    expect(seen).toHaveLength(50)
  })
})
