import { describe, expect, it } from 'vitest'
import { readRequest } from '../../../agent/control/request.ts'
import type { Arrival } from '../../../agent/core/bus.ts'

const book = { root: 'edge', agent: 'lab' }
const topic = 'edge/1/lab/demo/input/set'

function arrival(payload: unknown, agedMs = 0): Arrival {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const arrivedAt = performance.now() - agedMs
  return { topic, payload: Buffer.from(text), retained: false, client: 'c', arrivedAt }
}

const read = (payload: unknown, agedMs?: number) => readRequest(arrival(payload, agedMs), book)
const codeOf = (payload: unknown, agedMs?: number) => {
  const result = read(payload, agedMs)
  return result.ok ? 'ok' : result.error.code
}

describe('readRequest', () => {
  it.each([
    ['a bare URL as text', 'rtsp://cam/1', 'rtsp://cam/1'],
    ['a bare URL as a JSON string', '"rtsp://cam/1"', 'rtsp://cam/1'],
    ['an object', { gate: 'mqtt:gate' }, { gate: 'mqtt:gate' }],
    ['nothing', '', undefined],
    ['what an envelope holds', { id: '1', args: { a: 1 } }, { a: 1 }],
  ])('takes %s', (_name, payload, args) => {
    expect(read(payload)).toMatchObject({ ok: true, request: { args } })
  })

  it('keeps id and replyTo of an envelope', () => {
    const replyTo = 'edge/1/$reply/me/1'
    expect(read({ id: 'x', replyTo, args: null })).toMatchObject({
      ok: true,
      request: { id: 'x', replyTo, args: null },
    })
  })

  it.each([
    ['broken JSON', '{"gate":', 'MESSAGE_INVALID'],
    ['an id that is no string', { id: 7, args: 1 }, 'MESSAGE_INVALID'],
    ['a reply to a foreign topic', { replyTo: 'home/light/set', args: 1 }, 'NOT_AUTHORIZED'],
    ['a reply to the prefix alone', { replyTo: 'edge/1/$reply/', args: 1 }, 'NOT_AUTHORIZED'],
    ['a reply with a wildcard', { replyTo: 'edge/1/$reply/#', args: 1 }, 'NOT_AUTHORIZED'],
    ['a deadline that has passed', { deadline: 1, args: 1 }, 'DEADLINE_EXCEEDED'],
  ])('refuses %s', (_name, payload, code) => {
    expect(codeOf(payload)).toBe(code)
  })

  it('measures ttlMs from the arrival, whatever the clock of the sender', () => {
    expect(codeOf({ ttlMs: 1000, args: 1 }, 500)).toBe('ok')
    expect(codeOf({ ttlMs: 1000, args: 1 }, 1500)).toBe('DEADLINE_EXCEEDED')
  })

  it('answers a late envelope where its caller is looking', () => {
    const replyTo = 'edge/1/$reply/me/1'
    expect(read({ id: 'x', replyTo, deadline: 1, args: 1 })).toMatchObject({
      ok: false,
      id: 'x',
      replyTo,
    })
  })

  it('names unknown fields of the envelope', () => {
    expect(read({ args: 1, prio: 3 })).toMatchObject({ ok: true, unknown: ['/prio'] })
  })

  it('does not take bytes that are no text for a URL', () => {
    expect(readRequest({ ...arrival(''), payload: Uint8Array.of(0xff, 0xd8, 0x00) }, book).ok).toBe(
      false,
    )
  })
})
