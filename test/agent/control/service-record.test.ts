import { describe, expect, it } from 'vitest'
import { serviceRecord } from '../../../agent/control/service-record.ts'
import type { FromRunning } from '../../../agent/service/supervisor.ts'

const desired = { inputs: { gate: { url: 'x' } }, outputs: { log: { url: 'y' } } }

function stats(inferred: number, input = 'gate'): FromRunning {
  const counts = { in: inferred + 2, inferred, dropped: 1, failed: 1, alive: 1, total: 9, ms: {} }
  return { type: 'stats', stats: { v: 1, at: 0, inputs: { [input]: counts }, undelivered: 3 } }
}

function output(written: number, dropped: number, id = 'log'): FromRunning {
  return { type: 'output', report: { id, state: 'open', written, dropped } }
}

describe('the record of a service', () => {
  it('adds up what each second brought, over processes that come and go', () => {
    const record = serviceRecord()
    record.heard(stats(10), desired)
    record.heard(stats(20), desired)
    expect(record.fps).toBe(20)
    record.exited()
    expect([record.fps, record.facts.stats]).toEqual([0, undefined])
    record.heard(stats(5), desired)
    expect(record.facts.counts).toMatchObject({
      inputs: { gate: { in: 41, inferred: 35, dropped: 3, failed: 3 } },
      undelivered: 9,
    })
  })

  it('goes on counting where an output starts again from 0', () => {
    const record = serviceRecord()
    const counted = (): unknown => record.facts.counts.outputs.log
    record.heard(output(4, 1), desired)
    record.heard(output(6, 1), desired)
    expect(counted()).toEqual({ written: 6, dropped: 1 })
    record.heard(output(0, 0), desired)
    record.heard(output(2, 5), desired)
    expect(counted()).toEqual({ written: 8, dropped: 6 })
    record.exited()
    record.heard(output(9, 5), desired)
    expect(counted()).toEqual({ written: 17, dropped: 11 })
  })

  it('keeps nothing of inputs and outputs that are no longer wanted', () => {
    const record = serviceRecord()
    for (let id = 0; id < 100; id += 1) {
      const now = { inputs: { [`i${id}`]: { url: 'x' } }, outputs: { [`o${id}`]: { url: 'y' } } }
      record.heard(stats(1, `i${id}`), now)
      record.heard(output(1, 0, `o${id}`), now)
    }
    const { inputs, outputs } = record.facts.counts
    expect([Object.keys(inputs), Object.keys(outputs)]).toEqual([['i99'], ['o99']])
  })

  it('knows whether anything was inferred since the service was wanted', () => {
    const record = serviceRecord()
    record.wanted()
    record.heard(stats(0), desired)
    expect(record.facts.inferred).toBe(false)
    record.heard(stats(1), desired)
    expect(record.facts.inferred).toBe(true)
    record.exited()
    expect(record.facts.inferred).toBe(true)
    record.wanted()
    expect(record.facts.inferred).toBe(false)
  })
})
