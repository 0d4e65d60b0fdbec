import { describe, expect, it } from 'vitest'
import { type Outcome, Router, type RouterParts } from '../../../agent/control/router.ts'
import type { Arrival, Bus } from '../../../agent/core/bus.ts'
import { AgentError } from '../../../agent/core/errors.ts'

/** A bus without a network. */
function memoryBus() {
  const published: { topic: string; message: Record<string, unknown> }[] = []
  let control: (arrival: Arrival) => void = () => {}
  let refused: (arrival: Arrival, reason: string) => void = () => {}
  const bus: Bus = {
    publish: (topic, payload) =>
      void published.push({ topic, message: JSON.parse(Buffer.from(payload).toString()) }),
    onControl: (take) => {
      control = take
    },
    onRefused: (take) => {
      refused = take
    },
    onFilters: () => undefined,
    subscribe: () => () => {},
  }
  const arrival = (topic: string, payload: unknown, retained = false): Arrival => ({
    topic,
    payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
    retained,
    client: 'c',
    arrivedAt: performance.now(),
  })
  return {
    bus,
    published,
    send: (topic: string, payload: unknown) => control(arrival(topic, payload)),
    refuse: (topic: string) => refused(arrival(topic, 'x', true), 'only the agent publishes here'),
  }
}

const book = { root: 'edge', agent: 'lab' }
const replyTo = 'edge/1/$reply/me'
const compute = 'edge/1/lab/demo/compute'
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function routed(carryOut: RouterParts['carryOut']) {
  const wire = memoryBus()
  const retained: string[] = []
  new Router({ book, bus: wire.bus, carryOut, retainedRefused: (topic) => retained.push(topic) })
  return { ...wire, retained }
}

const fails = async (): Promise<Outcome> => {
  throw new AgentError('NOT_FOUND', 'no service demo at http://a:secret@b/')
}

describe('Router', () => {
  it('answers an envelope on its replyTo', async () => {
    const wire = routed(async () => ({ data: { answer: 42 } }))
    wire.send(compute, { id: 'a', replyTo, args: {} })
    await settled()
    expect(wire.published).toEqual([
      {
        topic: replyTo,
        message: { v: 1, id: 'a', agent: 'lab', status: 'ok', data: { answer: 42 } },
      },
    ])
  })

  it('says nothing when a bare message succeeded: the retained state is the answer', async () => {
    const wire = routed(async () => ({}))
    wire.send(compute, '')
    await settled()
    expect(wire.published).toEqual([])
  })

  it('puts the error of a bare message on the error topic of its service, without credentials', async () => {
    const wire = routed(fails)
    wire.send(compute, '')
    await settled()
    expect(wire.published).toMatchObject([
      { topic: 'edge/1/lab/demo/error', message: { code: 'NOT_FOUND', topic: compute } },
    ])
    expect(JSON.stringify(wire.published)).not.toContain('secret')
  })

  it('puts the error of a bare command on the error topic of the agent', async () => {
    const wire = routed(fails)
    wire.send('edge/1/lab/$cmd/nonsense', '')
    await settled()
    expect(wire.published[0]?.topic).toBe('edge/1/lab/$error')
  })

  it('does the same id once, and answers it each time', async () => {
    let done = 0
    const wire = routed(async () => ({ data: ++done }))
    for (let index = 0; index < 3; index += 1) wire.send(compute, { id: 'a', replyTo, args: {} })
    await settled()
    expect(done).toBe(1)
    expect(wire.published.map(({ message }) => message.data)).toEqual([1, 1, 1])
  })

  it('does different ids, and messages without one, each time', async () => {
    let done = 0
    const wire = routed(async () => ({ data: ++done }))
    wire.send(compute, { id: 'a', replyTo, args: {} })
    wire.send(compute, { id: 'b', replyTo, args: {} })
    wire.send(compute, {})
    wire.send(compute, {})
    await settled()
    expect(done).toBe(4)
  })

  it('tells which fields it ignored, where the caller is looking', async () => {
    const wire = routed(async () => ({ unknown: ['/colour'] }))
    wire.send(compute, { id: 'a', replyTo, args: {} })
    wire.send(compute, {})
    await settled()
    expect(wire.published).toMatchObject([
      { topic: 'edge/1/lab/demo/error', message: { message: expect.stringContaining('/colour') } },
      { topic: replyTo, message: { status: 'ok', message: expect.stringContaining('/colour') } },
    ])
  })

  it('answers what the broker refused, and raises an alert for a retained command', () => {
    const wire = routed(async () => ({}))
    wire.refuse(compute)
    expect(wire.published).toMatchObject([
      { topic: 'edge/1/lab/demo/error', message: { code: 'NOT_AUTHORIZED', topic: compute } },
    ])
    expect(wire.retained).toEqual([compute])
  })
})
