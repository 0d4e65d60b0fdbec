import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { blocksIn, eventsIn, watched } from './watched.ts'

describe('an event log', () => {
  it('passes everything on, and tells what was published on the own topics of the agent', () => {
    const { log, bus, passed, event } = watched()
    const stream = log.open({})
    event('door/error', { code: 'X' })
    bus.publish('edge/1/$reply/me', '{}', { qos: 1, retain: false })
    bus.publish('plant/door', '{}', { qos: 0, retain: false })
    expect(eventsIn(stream)).toEqual(['door/error={"code":"X"}'])
    expect(passed).toEqual(['edge/1/a1/door/error', 'edge/1/$reply/me', 'plant/door'])
  })

  it('begins with every retained value and the place to go on from', () => {
    const { log, retain } = watched()
    retain('$state', { state: 'ready' })
    retain('door/state', { state: 'idle' })
    retain('door/stream/video/gate', { url: 'x' })
    retain('door/stream/video/gate', '')
    const blocks = blocksIn(log.open({}))
    expect(blocks[0]).toEqual({ retry: '1000' })
    expect(blocks.at(-1)).toEqual({ id: '0badcafe:0' })
    expect(blocks.slice(1, -1)).toEqual([
      { event: '$state', data: '{"topic":"$state","payload":{"state":"ready"}}' },
      { event: 'state', data: '{"service":"door","topic":"state","payload":{"state":"idle"}}' },
    ])
  })

  it('numbers events, and names them by their topics', () => {
    const { log, event, flow, retain } = watched()
    const stream = log.open({})
    flow('door/detections/gate', { seq: 1 })
    event('door/error', { code: 'X' })
    retain('$alert/disk', '')
    const ours = blocksIn(stream).filter(({ data }) => data)
    expect(ours.map(({ id, event: type }) => [id, type])).toEqual([
      ['0badcafe:1', 'detections'],
      ['0badcafe:2', 'fault'],
      ['0badcafe:3', '$alert'],
    ])
    expect(ours[2]?.data).toBe('{"topic":"$alert/disk","payload":null}')
  })

  it('keeps an event in one line, whatever white space its JSON has', () => {
    const { log, bus } = watched()
    const stream = log.open({})
    const bytes = Buffer.from('{\r\n"a":\n1}')
    bus.publish('edge/1/a1/door/detections/x', bytes, { qos: 0, retain: false })
    bus.publish('edge/1/a1/door/event/x', bytes.toString(), { qos: 1, retain: false })
    expect(eventsIn(stream)).toEqual(['door/detections/x={"a":1}', 'door/event/x={"a":1}'])
    expect(bytes.toString()).toContain('\r\n')
  })

  it('tells of the service, the topics and the inputs that are wanted, and of no pictures', () => {
    const { log, event, flow, retain } = watched()
    for (const service of ['door', 'yard']) retain(`${service}/model`, 0)
    const door = log.open({ service: 'door' })
    const some = log.open({ topics: ['detections', 'stream', 'state'], inputs: ['gate'] })
    flow('door/preview/gate', 'JFIF')
    flow('door/detections/gate', 1)
    flow('door/detections/side', 2)
    flow('yard/detections/gate', 3)
    retain('door/stream/gate/side', 4)
    retain('door/stream/video/gate', 5)
    retain('door/state', 6)
    event('door/event/gate', 7)
    expect(eventsIn(door)).toEqual([
      'door/model=0',
      'door/detections/gate=1',
      'door/detections/side=2',
      'door/stream/gate/side=4',
      'door/stream/video/gate=5',
      'door/state=6',
      'door/event/gate=7',
    ])
    expect(eventsIn(some)).toEqual([
      'door/detections/gate=1',
      'yard/detections/gate=3',
      'door/stream/video/gate=5',
      'door/state=6',
    ])
  })

  it('gives who comes back what was missed, once and in order', () => {
    const { log, event, flow, retain } = watched()
    const first = log.open({})
    flow('door/detections/gate', 1)
    const [last] = blocksIn(first).slice(-1)
    first.destroy()
    event('door/error', 2)
    flow('yard/detections/gate', 3)
    retain('door/state', 4)
    const again = log.open({}, last?.id)
    flow('door/detections/gate', 5)
    expect(eventsIn(again)).toEqual([
      'door/error=2',
      'yard/detections/gate=3',
      'door/state=4',
      'door/detections/gate=5',
    ])
  })

  it('tells who comes back too late of the gap, and what is retained now', () => {
    const { log, event, retain } = watched({ historyCount: 2 })
    log.open({})
    retain('door/state', 1)
    event('door/event/gate', 2)
    retain('door/state', 3)
    event('door/event/gate', 4)
    expect(eventsIn(log.open({}, '0badcafe:2'))).toEqual(['door/state=3', 'door/event/gate=4'])
    const late = eventsIn(log.open({}, '0badcafe:1'))
    expect(late).toEqual(['gap {"after":"0badcafe:1"}', 'door/state=3', 'door/event/gate=4'])
  })

  it('keeps states although results push out each other', () => {
    const { log, event, flow } = watched({ historyCount: 3 })
    log.open({})
    event('door/event/gate', 'kept')
    for (let seq = 0; seq < 9; seq += 1) flow('door/detections/gate', seq)
    expect(eventsIn(log.open({}, '0badcafe:0'))).toEqual([
      'gap {"after":"0badcafe:0"}',
      'door/event/gate="kept"',
      'door/detections/gate=6',
      'door/detections/gate=7',
      'door/detections/gate=8',
    ])
  })

  it.each(['1111:1', '0badcafe:999', '0badcafe:-1', '0badcafe', 'x\n', '0badcafe:1e3'])(
    'takes an id that it never gave (%j) for a gap, and begins anew',
    (id) => {
      const { log, retain } = watched()
      retain('door/state', 1)
      const [, gap, state, place] = blocksIn(log.open({}, id))
      expect(gap).toEqual({ event: 'gap', data: JSON.stringify({ after: id }) })
      expect([state?.event, place]).toEqual(['state', { id: '0badcafe:0' }])
    },
  )

  it('ends the streams of a service with its last retained value, and no others', async () => {
    const { log, retain } = watched()
    retain('door/state', 1)
    const door = log.open({ service: 'door' })
    const all = log.open({})
    const before = eventsIn(all)
    retain('door/state', '')
    expect(eventsIn(door)).toEqual(['door/state=1', 'door/state=null'])
    await once(door, 'close')
    expect([door.readableEnded, log.counts.open]).toEqual([true, 1])
    retain('yard/state', 2)
    expect([before, eventsIn(all)]).toEqual([['door/state=1'], ['door/state=null', 'yard/state=2']])
    expect(eventsIn(log.open({}, '0badcafe:0'))[0]).toBe('gap {"after":"0badcafe:0"}')
  })

  it('keeps no more for services that were only invented', () => {
    const { log, event } = watched({ historyCount: 10 })
    log.open({})
    for (let id = 0; id < 1000; id += 1) event(`invented-${id}/error`, id)
    const seen = log.open({}, '0badcafe:1')
    expect(eventsIn(seen)).toHaveLength(1 + 10)
  })

  it('ends every stream when it is closed', async () => {
    const { log } = watched()
    const streams = [log.open({})]
    log.close()
    streams.push(log.open({}))
    for (const stream of streams) {
      blocksIn(stream)
      await once(stream, 'close')
      expect(stream.readableEnded).toBe(true)
    }
    expect(log.counts.open).toBe(0)
  })
})

describe('an event log that nobody reads', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const left = async (stream: Readable): Promise<void> => {
    stream.destroy()
    await once(stream, 'close')
  }

  it('notes what happens for a minute more, and then tells of a gap', async () => {
    const { log, event } = watched()
    await left(log.open({}))
    vi.advanceTimersByTime(59_000)
    event('door/event/gate', 1)
    const again = log.open({}, '0badcafe:0')
    expect(eventsIn(again)).toEqual(['door/event/gate=1'])
    await left(again)
    vi.advanceTimersByTime(61_000)
    event('door/event/gate', 2)
    expect(eventsIn(log.open({}, '0badcafe:1'))).toEqual(['gap {"after":"0badcafe:1"}'])
  })

  it('shows that it lives every 15 s', () => {
    const { log } = watched()
    const stream = log.open({})
    blocksIn(stream)
    vi.advanceTimersByTime(45_000)
    expect(stream.read().toString()).toBe(':\n\n:\n\n:\n\n')
  })
})
