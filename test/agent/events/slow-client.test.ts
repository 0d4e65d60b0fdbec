import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { blocksIn, eventsIn, watched } from './watched.ts'

const result = (seq: number) => ({ seq, text: 'x'.repeat(2000) })

describe('a client that does not read', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
  afterEach(() => void vi.useRealTimers())

  it('loses events of QoS 0, exactly those that are told, and no others', () => {
    const { log, event, flow } = watched({ historyCount: 20 })
    const slow = log.open({ topics: ['detections', 'event'] })
    for (let seq = 0; seq < 200; seq += 1) flow('door/detections/gate', result(seq))
    event('door/event/gate', 'kept')
    for (let seq = 200; seq < 300; seq += 1) flow('door/detections/gate', result(seq))
    flow('door/stats', 'not wanted, not lost')
    const told = blocksIn(slow).filter(({ data }) => data)
    const dropped = told
      .filter(({ event: type }) => type === 'dropped')
      .reduce((sum, { data = '' }) => sum + JSON.parse(data).count, 0)
    const got = told.filter(({ event: type }) => type === 'detections').length
    expect(dropped).toBeGreaterThan(200)
    expect(got + dropped).toBe(300)
    expect(told.filter(({ event: type }) => type === 'event')).toHaveLength(1)
    expect(log.counts).toEqual({ open: 1, dropped, closed: 0 })
    flow('door/detections/gate', 'after')
    expect(eventsIn(slow)).toEqual(['door/detections/gate="after"'])
  })

  it('holds no more than its small queue, however much is published', async () => {
    const { log, flow } = watched({ historyBytes: 64 * 1024 })
    const slow = log.open({})
    slow.pipe(new Writable({ highWaterMark: 1, write: () => undefined }))
    await new Promise(setImmediate)
    for (let seq = 0; seq < 5000; seq += 1) flow('door/detections/gate', result(seq))
    expect(slow.readableLength).toBeGreaterThan(8 * 1024)
    expect(slow.readableLength).toBeLessThan(20 * 1024)
  })

  it('is sent away when it would lose anything else', () => {
    const { log, event } = watched({ historyCount: 5 })
    const slow = log.open({})
    const quick = log.open({})
    for (let count = 0; count < 40; count += 1) {
      event('door/event/gate', result(count))
      expect(eventsIn(quick)).toHaveLength(1)
    }
    expect([slow.destroyed, quick.destroyed]).toEqual([true, false])
    expect(log.counts.closed).toBe(1)
  })

  it('is sent away when it takes nothing for half a minute, and not before', () => {
    const { log, flow } = watched()
    const slow = log.open({})
    const quick = log.open({})
    for (let seq = 0; seq < 50; seq += 1) flow('door/detections/gate', result(seq))
    blocksIn(quick)
    vi.advanceTimersByTime(30_000)
    expect(slow.destroyed).toBe(false)
    vi.advanceTimersByTime(30_000)
    expect([slow.destroyed, quick.destroyed]).toEqual([true, false])
  })
})
