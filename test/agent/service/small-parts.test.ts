import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AgentError } from '../../../agent/core/errors.ts'
import { createEngine } from '../../../agent/media/registry.ts'
import { blame } from '../../../agent/service/blame.ts'
import {
  crashNote,
  crashRecord,
  type NativeWork,
  nameInRecord,
  readCrashRecord,
  suspectCalled,
} from '../../../agent/service/crash-record.ts'
import { faultMeter } from '../../../agent/service/fault-meter.ts'
import type { FromService } from '../../../agent/service/messages.ts'
import { notedEncoding } from '../../../agent/service/native-notes.ts'
import {
  ACKNOWLEDGED_BYTES,
  acknowledger,
  CREDIT_BYTES,
  outbox,
} from '../../../agent/service/outbox.ts'
import { turns } from '../../../agent/service/turns.ts'

describe('outbox', () => {
  const half = new Uint8Array(CREDIT_BYTES / 2 + 1)
  const event = { path: 'detections/gate', payload: half, qos: 0 } as const
  const none = () => undefined

  it('drops and counts QoS 0 events past its credit, and sends again once main has caught up', () => {
    const sent: FromService[] = []
    const box = outbox((message) => sent.push(message), none)
    expect([box.event(event), box.event(event), box.event(event)]).toEqual([true, true, false])
    expect(box.takeUndelivered()).toBe(1)
    expect(box.takeUndelivered()).toBe(0)
    box.acknowledged(half.byteLength)
    expect(box.event(event)).toBe(true)
    expect(sent).toHaveLength(3)
  })

  it('lets acknowledged events and states pass always', () => {
    const sent: FromService[] = []
    const box = outbox((message) => sent.push(message), none)
    for (let index = 0; index < 5; index += 1) box.event({ ...event, qos: 1 })
    box.send({ type: 'beat', inferenceMs: 0 })
    expect(sent).toHaveLength(6)
  })

  it('counts video and events together', () => {
    const box = outbox(none, none)
    const packet = { data: half, pts: 0, key: true }
    expect([box.event(event), box.video(0, packet)]).toEqual([true, true])
    expect([box.event(event), box.video(0, packet)]).toEqual([false, false])
    box.acknowledged(half.byteLength)
    expect(box.video(0, packet)).toBe(true)
  })
})

it('acknowledges what main has published in few messages, and all of it', () => {
  const told: number[] = []
  const published = acknowledger((bytes) => told.push(bytes))
  const size = ACKNOWLEDGED_BYTES / 4
  for (let index = 0; index < 9; index += 1) published(size)
  expect(told).toEqual([4 * size, 4 * size])
})

describe('crash record', () => {
  it('tells, after the fact, which input native code was working on', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'heliograph-')), 'a.crash')
    const record = crashRecord(file)
    const gate = record.place('gate')
    const yard = record.place('yard')
    crashNote(gate, 'read', true)
    crashNote(yard, 'open', true)
    crashNote(yard, 'infer', true, 3)
    crashNote(gate, 'read', false)
    expect(readCrashRecord(file)).toEqual(new Map([['yard', ['open', 'infer']]]))
    crashNote(yard, 'open', false)
    crashNote(yard, 'infer', false, 3)
    expect(readCrashRecord(file).size).toBe(0)
  })

  it('tells, after the fact, for which output native code was encoding', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'heliograph-')), 'a.crash')
    const record = crashRecord(file)
    const id = 'v'.repeat(63)
    const busy = () => [...readCrashRecord(file)].map(([who, works]) => [suspectCalled(who), works])
    const engine = notedEncoding(createEngine('auto'), record.output(id))
    const opening = engine.encode({
      ...{ codec: 'h264', width: 320, height: 180, fps: 10 },
      ...{ bitrate: 500_000, keyIntervalS: 2, encoder: 'auto' },
    })
    expect(busy()).toEqual([[{ kind: 'output', id }, ['encode']]])
    const encoder = await opening
    expect(busy()).toEqual([])
    const encoding = encoder.encode(0, true)
    expect(busy()).toEqual([[{ kind: 'output', id }, ['encode']]])
    expect((await encoding)[0]?.key).toBe(true)
    expect(busy()).toEqual([])
    await encoder.close()
  })

  it('keeps the place of an input that is opened again', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'heliograph-')), 'a.crash')
    const record = crashRecord(file)
    const first = record.place('gate')
    record.place('yard')
    expect(record.place('gate')).toEqual(first)
  })

  it('has a place for each of the requests for one result, all under one name', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'heliograph-')), 'a.crash')
    const record = crashRecord(file)
    const [first, second] = [record.once(1), record.once(2)]
    crashNote(first, 'read', true)
    crashNote(second, 'read', true)
    crashNote(first, 'read', false)
    crashNote(first, 'infer', true)
    const [[name = '', works = []] = []] = readCrashRecord(file)
    expect([suspectCalled(name), works.toSorted()]).toEqual([{ kind: 'once' }, ['infer', 'read']])
    expect(readCrashRecord(file).size).toBe(1)
  })

  it('is empty when the process never wrote one', () => {
    expect(readCrashRecord('/nowhere/a.crash').size).toBe(0)
  })
})

describe('blame', () => {
  it('quarantines an input after two crashes that are its alone', () => {
    const judge = blame()
    const busy = new Map([['gate', ['read'] as const]])
    expect(judge.crashed('SIGSEGV', busy, 0)).toEqual([])
    expect(judge.crashed('SIGSEGV', busy, 1000)).toEqual(['gate'])
  })

  it('shares a crash among several suspects', () => {
    const judge = blame()
    const busy = new Map([
      ['gate', ['read'] as const],
      ['yard', ['read'] as const],
    ])
    const quarantined = [0, 1, 2].flatMap((now) => judge.crashed('SIGSEGV', busy, now))
    expect(quarantined).toEqual([])
    expect(judge.crashed('SIGSEGV', busy, 3)).toEqual(['gate', 'yard'])
  })

  it('finds the one that two crashes in a row have in common', () => {
    const judge = blame()
    const first = new Map([
      ['$model', ['load'] as const],
      ['gate', ['read'] as const],
    ])
    expect(judge.crashed('SIGSEGV', first, 0)).toEqual([])
    expect(judge.crashed('SIGSEGV', new Map([['gate', ['read'] as const]]), 1)).toEqual(['gate'])
  })

  it('suspects the input that was being opened before those that had been running', () => {
    const judge = blame()
    const busy = new Map([
      ['gate', ['read'] as const],
      ['new', ['open', 'read'] as const],
    ])
    judge.crashed('SIGABRT', busy, 0)
    expect(judge.crashed('SIGABRT', busy, 1)).toEqual(['new'])
  })

  it('does not suspect an input that waits for its first picture while native code works for others', () => {
    const judge = blame()
    const busy = new Map([
      ['gate', ['read'] as const],
      ['silent', ['open'] as const],
    ])
    judge.crashed('SIGSEGV', busy, 0)
    expect(judge.crashed('SIGSEGV', busy, 1)).toEqual(['gate'])
  })

  it('finds the one that crashes alone after it crashed while something new was suspected', () => {
    const once = nameInRecord({ kind: 'once' })
    for (const [fresh, works] of [
      [once, ['read']],
      ['new', ['open', 'read']],
    ] as const) {
      const judge = blame()
      const gate: [string, NativeWork[]] = ['gate', ['read']]
      expect(judge.crashed('SIGSEGV', new Map([gate, [fresh, [...works]]]), 0)).toEqual([])
      expect(judge.crashed('SIGSEGV', new Map([gate]), 1)).toEqual(['gate'])
    }
  })

  it('does not blame what was being opened at one crash and runs beside others at the next', () => {
    const judge = blame()
    const during = (works: NativeWork[]) =>
      new Map<string, NativeWork[]>([
        ['gate', ['read']],
        ['new', works],
      ])
    judge.crashed('SIGSEGV', during(['open', 'read']), 0)
    expect(judge.crashed('SIGSEGV', during(['read']), 1)).toEqual([])
  })

  it('suspects a request for one result before inputs that had been running', () => {
    const judge = blame()
    const once = nameInRecord({ kind: 'once' })
    const busy = new Map([
      ['gate', ['read'] as const],
      [once, ['read'] as const],
    ])
    const guilty = [0, 1, 2, 3].flatMap((now) => judge.crashed('SIGSEGV', busy, now))
    expect(guilty).toContain(once)
    expect(guilty).not.toContain('gate')
  })

  it('blames nobody for a process that was killed from outside, or was idle', () => {
    const judge = blame()
    const busy = new Map([['gate', ['read'] as const]])
    for (let now = 0; now < 5; now += 1) {
      expect(judge.crashed('SIGKILL', busy, now)).toEqual([])
      expect(judge.crashed('SIGSEGV', new Map(), now)).toEqual([])
    }
  })

  it('forgets after ten minutes, and when the input is set anew', () => {
    const judge = blame()
    const busy = new Map([['gate', ['read'] as const]])
    judge.crashed('SIGSEGV', busy, 0)
    expect(judge.crashed('SIGSEGV', busy, 11 * 60_000)).toEqual([])
    judge.forgive('gate')
    expect(judge.crashed('SIGSEGV', busy, 12 * 60_000)).toEqual([])
  })
})

describe('faultMeter', () => {
  it('reports the first fault at once, and later ones counted, at most once a second', () => {
    const counts: number[] = []
    const meter = faultMeter(({ count }) => counts.push(count))
    const error = new AgentError('SOURCE_DECODE', 'damaged')
    for (let index = 0; index < 10; index += 1) meter.fault(error, { input: 'gate' })
    expect(counts).toEqual([1])
    meter.flush()
    expect(counts).toEqual([1, 9])
    meter.flush()
    meter.flush()
    meter.fault(error, { input: 'gate' })
    expect(counts).toEqual([1, 9, 1])
  })
})

describe('turns', () => {
  it('runs tasks of one name in order, though an earlier one fails', async () => {
    const done: string[] = []
    const { take } = turns()
    const first = take('gate', async () => {
      await new Promise((resolve) => setImmediate(resolve))
      done.push('open')
      throw new Error('could not')
    })
    const second = take('gate', async () => void done.push('close'))
    const other = take('yard', async () => void done.push('other'))
    await Promise.allSettled([first, second, other])
    expect(done).toEqual(['other', 'open', 'close'])
  })
})
