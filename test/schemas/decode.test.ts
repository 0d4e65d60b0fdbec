import { describe, expect, it } from 'vitest'
import {
  Compute,
  InputSet,
  InputSpec,
  ModelSet,
  OutputSet,
  ServiceAdd,
} from '../../schemas/control.ts'
import { check, parseJson } from '../../schemas/decode.ts'
import { InputStatus } from '../../schemas/state.ts'
import Type from '../../schemas/typebox.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const problem = (decoded: ReturnType<typeof check>): string => (decoded.ok ? '' : decoded.problem)

describe('parseJson', () => {
  it.each([
    ['{"a": [1, "ü"]}', { a: [1, 'ü'] }],
    ['null', null],
    ['"file:///a.jpg"', 'file:///a.jpg'],
    [' 5 ', 5],
  ])('reads %s', (text, value) => {
    expect(parseJson(bytes(text))).toEqual({ ok: true, value, unknown: [] })
  })

  it.each([
    ['lists', '['.repeat(64), ']'.repeat(64), true],
    ['lists', '['.repeat(65), ']'.repeat(65), false],
    ['maps', '{"a":'.repeat(65).slice(0, -4), '}'.repeat(65), false],
    ['a string of brackets', `"\\"${'['.repeat(100)}`, '"', true],
  ])('reads %s as deep as is allowed, and no deeper', (_, open, close, ok) => {
    expect(parseJson(bytes(open + close)).ok).toBe(ok)
  })

  it.each([
    ['nothing', bytes('')],
    ['text', bytes('file:///a.jpg')],
    ['half an object', bytes('{"a": ')],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0xfe, 0x22)],
    ['a UTF-16 document', new Uint8Array(Buffer.from('{"a":1}', 'utf16le'))],
    ['nesting that exhausts the parser', bytes('['.repeat(1_000_000))],
  ])('refuses %s without throwing', (_, payload) => {
    expect(parseJson(payload)).toMatchObject({
      ok: false,
      problem: expect.stringContaining('JSON'),
    })
  })

  it('gives an own property, not a prototype, for the key __proto__', () => {
    const decoded = parseJson(bytes('{"__proto__": {"loop": true}}'))
    expect(decoded.ok && Object.keys(decoded.value as object)).toEqual(['__proto__'])
  })
})

describe('check', () => {
  it.each([
    ['a bare URL', InputSet, 'file:///a.jpg'],
    ['one input', InputSet, { url: 'file:///a.jpg', fps: 2 }],
    ['a patch', InputSet, { gate: 'file:///a.jpg', yard: { url: 'mqtt:a' }, old: null }],
    ['an empty patch', InputSet, {}],
    ['an output patch', OutputSet, { log: { url: 'file:///a.jsonl' }, old: null }],
    ['a model id', ModelSet, 'yolox-nano'],
    ['options alone', ModelSet, { options: { minScore: 0 } }],
    ['an empty compute', Compute, {}],
  ])('takes %s', (_, schema, value) => {
    expect(check(schema, value)).toEqual({ ok: true, value, unknown: [] })
  })

  it.each([
    ['an empty URL', InputSet, '', 'fewer than 1'],
    ['a number for a URL', InputSet, 5, 'the payload'],
    ['null', InputSet, null, 'the payload'],
    ['a list', OutputSet, [], 'object'],
    ['a URL of a patch that is too long', InputSet, { a: 'x'.repeat(1_500_001) }, '/a'],
    ['a wrong type inside a patch', OutputSet, { log: { url: 5 } }, '/log/url'],
    ['a number where a spec belongs', OutputSet, { log: 5 }, '/log'],
    ['an fps of 0', InputSpec, { url: 'a', fps: 0 }, '/fps must be > 0'],
    ['a missing URL', InputSpec, { fps: 1 }, 'url'],
    ['an infinite number', InputSpec, { url: 'a', fps: Number.POSITIVE_INFINITY }, '/fps'],
    ['a text that is no action', Compute, { action: 'go' }, 'start, stop, once'],
    ['a score above 1', ModelSet, { options: { minScore: 1.5 } }, '/options/minScore must be <= 1'],
    ['a score as text', ModelSet, { options: { minScore: '0.5' } }, '/options/minScore'],
    ['a service with a bad id', ServiceAdd, { service: 'Bad Id' }, '/service'],
    ['a service without an id', ServiceAdd, {}, 'service'],
  ])('refuses %s and says where', (_, schema, value, says) => {
    const decoded = check(schema, value)
    expect(decoded.ok).toBe(false)
    expect(problem(decoded)).toContain(says)
  })

  it.each([
    ['a field of one input', InputSet, { url: 'a', colour: 1 }, ['/colour']],
    ['a field inside a patch', InputSet, { gate: { url: 'a', colour: 1 } }, ['/gate/colour']],
    ['a field of options', ModelSet, { options: { minScore: 0, top: 5 } }, ['/options/top']],
    ['several', Compute, { action: 'once', a: 1, b: { c: 2 } }, ['/a', '/b']],
    ['a field that only a prototype has', Compute, { constructor: 1 }, ['/constructor']],
    ['a nested input', ServiceAdd, { service: 'a', input: { url: 'a', x: 1 } }, ['/input/x']],
  ])('lets pass and names %s that it does not know', (_, schema, value, unknown) => {
    expect(check(schema, value)).toEqual({ ok: true, value, unknown })
  })

  it('knows the fields of every part of an intersection', () => {
    const value = { url: 'a', state: 'live', since: 1, odd: 2 }
    expect(check(InputStatus, value)).toEqual({ ok: true, value, unknown: ['/odd'] })
  })

  it('looks for unknown fields in the items of a list', () => {
    const schema = Type.Object({ list: Type.Array(Type.Object({ a: Type.Number() })) })
    const value = { list: [{ a: 1 }, { a: 2, b: 3 }] }
    expect(check(schema, value)).toEqual({ ok: true, value, unknown: ['/list/1/b'] })
  })

  it('judges a union by the option that the value passes', () => {
    const schema = Type.Union([
      Type.Object({ kind: Type.Literal('a'), x: Type.Optional(Type.Number()) }),
      Type.Object({ kind: Type.Literal('b') }),
    ])
    expect(check(schema, { kind: 'b', x: 1 })).toMatchObject({ ok: true, unknown: ['/x'] })
  })

  it('never throws, whatever it is given', () => {
    const deep: Record<string, unknown> = {}
    let inner = deep
    for (let level = 0; level < 5000; level++) {
      const next = {}
      inner.args = next
      inner = next
    }
    for (const value of [undefined, NaN, 1n, () => 1, Symbol('a'), new Date(), deep]) {
      expect(check(Compute, value)).toHaveProperty('ok')
    }
  })
})
