import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { AgentError } from '../../../agent/core/errors.ts'
import { computeAnswer, type Form, formOf } from '../../../agent/http/compute-answer.ts'
import { Refusal } from '../../../agent/http/problems.ts'
import type { OnceAnswer } from '../../../agent/service/messages.ts'
import type { Result } from '../../../schemas/results.ts'

const result = (seq: number): Result => ({
  v: 1,
  kind: 'detections',
  input: 'once',
  model: 'm',
  run: 'r',
  seq,
  capturedAt: 1,
  publishedAt: 2,
  width: 4,
  height: 2,
  items: [{ label: 'dog', classId: 17, score: 0.9, box: [0, 0, 2, 2] }],
  ms: { decode: 0, queue: 0, preprocess: 0, infer: 0, postprocess: 0 },
})
const picture = (seq: number) => Buffer.from(`picture ${seq}`)

/** Answers of a service, and whether whoever pulled them was done with them. */
function answers(count: number, failure?: Error) {
  const state = { ended: false }
  async function* all(): AsyncGenerator<OnceAnswer, void, void> {
    try {
      for (let seq = 0; seq < count; seq++) yield { result: result(seq), picture: picture(seq) }
      if (failure) throw failure
    } finally {
      state.ended = true
    }
  }
  return { all: all(), state }
}

async function bodyOf(count: number, form: Form, failure?: Error) {
  const { all, state } = answers(count, failure)
  const { headers, body } = await computeAnswer(all, form, '/compute')
  const text = body instanceof Readable ? (await body.toArray()).join('') : body
  expect(state.ended).toBe(true)
  return { type: headers?.['content-type'], text }
}

const crash = new AgentError('SERVICE_CRASHED', 'it crashed', { retryable: true })

describe('what a computation answers', () => {
  it.each([
    [undefined, 'json'],
    ['*/*', 'json'],
    ['image/*', 'jpeg'],
    ['image/png;q=0.9, image/jpeg;q=0.8', 'png'],
    ['text/html, application/x-ndjson', 'lines'],
  ])('to Accept %j is %s', (accept, form) => {
    expect(formOf(accept)).toBe(form)
  })

  it('to what nobody makes is a refusal that lists what there is', () => {
    expect(() => formOf('video/mp4')).toThrow('image/jpeg')
    expect(() => formOf('video/mp4')).toThrow(Refusal)
  })

  it('is one result by itself', async () => {
    const { all } = answers(1)
    expect(await computeAnswer(all, 'json', '/compute')).toEqual({ body: result(0) })
  })

  it('is one picture by itself', async () => {
    const { type, text } = await bodyOf(1, 'png')
    expect([type, `${text}`]).toEqual(['image/png', 'picture 0'])
  })

  it('is several results in order', async () => {
    const { type, text } = await bodyOf(3, 'json')
    expect(type).toBe('application/json')
    expect(JSON.parse(`${text}`)).toEqual({ results: [result(0), result(1), result(2)] })
  })

  it('is a line for each result', async () => {
    const { text } = await bodyOf(2, 'lines')
    expect(
      `${text}`
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([result(0), result(1)])
  })

  it('is several pictures, each a part', async () => {
    const { type = '', text } = await bodyOf(2, 'jpeg')
    const boundary = type.split('boundary=')[1]
    expect(boundary).toBeTruthy()
    const [, first, second, end] = `${text}`.split(`--${boundary}`)
    expect(first).toBe('\r\nContent-Type: image/jpeg\r\nHeliograph-Items: 1\r\n\r\npicture 0\r\n')
    expect(second).toContain('picture 1')
    expect(end).toBe('--\r\n')
  })

  it('is the failure itself where it comes before any result', async () => {
    const { all } = answers(0, crash)
    await expect(computeAnswer(all, 'json', '/compute')).rejects.toBe(crash)
  })

  it.each([1, 2, 5])('ends with the failure that comes after %i results', async (count) => {
    const problem = { code: 'SERVICE_CRASHED', retryable: true, instance: '/compute' }
    const json = JSON.parse(`${(await bodyOf(count, 'json', crash)).text}`)
    expect(json).toMatchObject({ error: problem })
    expect(json.results).toHaveLength(count)
    const lines = `${(await bodyOf(count, 'lines', crash)).text}`.trim().split('\n')
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ error: problem })
    expect((await bodyOf(count, 'png', crash)).text).toContain('"code":"SERVICE_CRASHED"')
  })

  it('refuses what holds no picture', async () => {
    const { all } = answers(0)
    await expect(computeAnswer(all, 'json', '/compute')).rejects.toThrow('no picture')
  })

  it('ends the work when nobody reads the answer', async () => {
    const { all, state } = answers(1000)
    const { body } = await computeAnswer(all, 'json', '/compute')
    const stream = body as Readable
    const closed = new Promise((resolve) => stream.once('close', resolve))
    stream.destroy()
    await closed
    await expect.poll(() => state.ended).toBe(true)
  })
})
