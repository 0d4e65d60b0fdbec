import { describe, expect, it } from 'vitest'
import { readCompute, readInputs, readModel, readOutputs } from '../../../agent/control/payloads.ts'
import type { Desired } from '../../../agent/control/service-state.ts'
import { AgentError } from '../../../agent/core/errors.ts'
import { fresh } from './story.ts'

const limits = { inputsPerService: 3, outputsPerService: 2 }
const desired: Desired = {
  ...fresh().desired,
  inputs: { gate: { url: 'http://admin:secret@cam/1.jpg' } },
}
const inputs = (args: unknown) => readInputs(args, desired, limits)

function failure(read: () => unknown): { code: string; message: string } {
  try {
    read()
  } catch (error) {
    if (error instanceof AgentError) return { code: error.code, message: error.message }
    throw error
  }
  throw new Error('it was accepted')
}

describe('input/set', () => {
  it('replaces all inputs by a bare URL, or an object with a url', () => {
    const expected = { replace: true, patch: { default: { url: 'a.mp4' } } }
    expect(inputs('a.mp4').value).toMatchObject(expected)
    expect(inputs({ url: 'a.mp4' }).value).toMatchObject(expected)
  })

  it('replaces all by a map where that is asked for', () => {
    const full = { a: 'mqtt:a', b: 'mqtt:b', c: 'mqtt:c' }
    const { value } = readInputs(full, desired, limits, true)
    expect(value.replace).toBe(true)
    expect(Object.keys(value.patch)).toEqual(['a', 'b', 'c'])
    expect(failure(() => readInputs({ ...full, d: 'mqtt:d' }, desired, limits, true)).code).toBe(
      'LIMIT_EXCEEDED',
    )
    const outputs = { ...desired, outputs: { old: { url: 'mqtt:' }, kept: { url: 'mqtt:' } } }
    const set = readOutputs({ kept: 'mqtt:', fresh: 'mqtt:' }, outputs, limits, true)
    expect(set.value.patch).toEqual({ old: null, kept: { url: 'mqtt:' }, fresh: { url: 'mqtt:' } })
  })

  it('counts no input that goes', () => {
    const { value } = inputs({ gate: null, a: 'mqtt:a', b: 'mqtt:b', c: 'mqtt:c' })
    expect(Object.keys(value.patch)).toHaveLength(4)
  })

  it('merges any other object by id, null removes', () => {
    const { value } = inputs({ yard: 'mqtt:yard', gate: null, door: { url: 'mqtt:door', fps: 5 } })
    expect(value).toEqual({
      type: 'input/set',
      replace: false,
      patch: { yard: { url: 'mqtt:yard' }, gate: null, door: { url: 'mqtt:door', fps: 5 } },
    })
  })

  it('takes *** in a URL as the password it knows for the same id, user and host', () => {
    const patch = (args: unknown) => inputs(args).value.patch.gate?.url
    expect(patch({ gate: 'http://admin:***@cam/2.jpg' })).toBe('http://admin:secret@cam/2.jpg')
    expect(patch({ gate: 'http://admin:***@evil/2.jpg' })).toBe('http://admin:***@evil/2.jpg')
  })

  it.each([
    ['a number', 7, 'MESSAGE_INVALID', 'input/set'],
    ['a list', ['a.mp4'], 'MESSAGE_INVALID', 'input/set'],
    ['an id with a space', { 'Gate 1': 'mqtt:x' }, 'MESSAGE_INVALID', 'Gate 1'],
    ['a reserved id', { args2: 'mqtt:x', replyTo: 'mqtt:y' }, 'MESSAGE_INVALID', 'replyTo'],
    ['an option of the wrong type', { url: 'a.mp4', fps: 'fast' }, 'MESSAGE_INVALID', '/fps'],
    ['a wrong choice', { gate: { url: 'a.mp4', pace: 'slow' } }, 'MESSAGE_INVALID', 'pace'],
    ['an unknown scheme', { gate: 'gopher://x' }, 'SOURCE_UNSUPPORTED', 'mqtt:'],
    ['too many inputs', { a: 'mqtt:a', b: 'mqtt:b', c: 'mqtt:c' }, 'LIMIT_EXCEEDED', '3 allowed'],
  ])('refuses %s', (_name, args, code, hint) => {
    const found = failure(() => inputs(args))
    expect(found.code).toBe(code)
    expect(found.message).toContain(hint)
  })

  it('never repeats a password in its refusal', () => {
    expect(failure(() => inputs('ftp://me:hunter2@x/')).message).not.toContain('hunter2')
  })

  it('names unknown fields and goes on', () => {
    expect(inputs({ gate: { url: 'a.mp4', colour: 'red' } }).unknown).toEqual(['/gate/colour'])
  })
})

describe('output/set, model/set, compute', () => {
  const hook = { url: 'https://host/hook', secret: 'correct horse', image: true }
  const withHook: Desired = { ...desired, outputs: { hook } }

  it('takes *** as the secret it knows for the same output and host', () => {
    const sent = { hook: { url: 'https://host/other', secret: '***' } }
    expect(readOutputs(sent, withHook, limits).value.patch).toEqual({
      hook: { url: 'https://host/other', secret: 'correct horse' },
    })
  })

  it.each([
    ['another host', { hook: { url: 'https://evil/', secret: '***' } }],
    ['another output', { other: { ...hook, secret: '***' } }],
    ['a short one', { hook: { ...hook, secret: 'short' } }],
  ])('refuses a secret for %s, and tells none', (_name, sent) => {
    const { code, message } = failure(() => readOutputs(sent, withHook, limits))
    expect(code).toBe('MESSAGE_INVALID')
    expect(message).toContain('secret')
    expect(message).not.toMatch(/correct|short/)
  })

  it('refuses a destination that nobody writes to, naming those that are written to', () => {
    const { code, message } = failure(() => readOutputs({ tape: 'tape:1' }, desired, limits))
    expect(code).toBe('SINK_UNSUPPORTED')
    expect(message).toContain('mqtt:')
  })

  it('takes a model by its id, or a change of some of its parts', () => {
    expect(readModel('yolox').value).toEqual({ type: 'model/set', id: 'yolox' })
    expect(readModel({ options: { minScore: 0.7 } }).value).toEqual({
      type: 'model/set',
      options: { minScore: 0.7 },
    })
    expect(failure(() => readModel({ options: { minScore: 7 } })).message).toContain(
      '/options/minScore',
    )
  })

  it('takes an empty compute as start, and a word as an action', () => {
    expect(readCompute(undefined).value).toEqual({})
    expect(readCompute('stop').value).toEqual({ action: 'stop' })
    expect(failure(() => readCompute('explode')).message).toContain('start, stop, once')
  })
})
