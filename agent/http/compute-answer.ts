import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import Negotiator from 'negotiator'
import { AgentError } from '../core/errors.ts'
import type { OnceAnswer } from '../service/messages.ts'
import type { CallAnswer } from './calls.ts'
import { problemOf, Refusal } from './problems.ts'

/** What results can be answered as, the preferred first. */
const forms = {
  'application/json': 'json',
  'application/x-ndjson': 'lines',
  'image/jpeg': 'jpeg',
  'image/png': 'png',
} as const

/** One of them. */
export type Form = (typeof forms)[keyof typeof forms]

type Answers = AsyncGenerator<OnceAnswer, void, void>

/** The form that a client prefers; JSON where it has no wish. @throws Refusal 406 */
export function formOf(accept: string | undefined): Form {
  const headers = accept === undefined ? {} : { accept }
  const type = new Negotiator({ headers }).mediaType(Object.keys(forms))
  if (type !== undefined) return forms[type as keyof typeof forms]
  const known = Object.keys(forms).join(', ')
  throw new Refusal(406, `Accept must allow one of: ${known}`)
}

/** The picture that a form asks a service for, if any. */
export function pictureOf(form: Form): { readonly picture?: 'jpeg' | 'png' } {
  return form === 'jpeg' || form === 'png' ? { picture: form } : {}
}

/**
 * Results as one answer, begun when the first result is there: a failure before it has a status of its own, a
 * later one ends the body with a problem. One result is answered by itself, several as `{"results": […]}`, a
 * picture as `multipart/mixed` with the others.
 */
export async function computeAnswer(
  answers: Answers,
  form: Form,
  path: string,
): Promise<CallAnswer> {
  const first = await answers.next()
  if (first.done) throw new AgentError('SOURCE_DECODE', 'there was no picture in it')
  const second = form === 'lines' ? undefined : await failed(answers)
  if (second && 'result' in second && second.result.done) return single(first.value, form)
  const all = rejoined([first.value], second, answers)
  const boundary = randomUUID()
  const [type, chunks] = {
    json: () => ['application/json', inJson(all, path)] as const,
    lines: () => ['application/x-ndjson', inLines(all, path)] as const,
    jpeg: () =>
      [
        `multipart/mixed; boundary=${boundary}`,
        inParts(all, 'image/jpeg', boundary, path),
      ] as const,
    png: () =>
      [`multipart/mixed; boundary=${boundary}`, inParts(all, 'image/png', boundary, path)] as const,
  }[form]()
  const body = Readable.from(chunks, { objectMode: false })
  // Also where nobody ever read of it.
  body.once('close', () => void answers.return())
  return { headers: { 'content-type': type }, body }
}

type Next = { readonly result: IteratorResult<OnceAnswer, void> } | { readonly error: unknown }

/** The next result, or how the work failed: said after what there is already. */
async function failed(answers: Answers): Promise<Next> {
  try {
    return { result: await answers.next() }
  } catch (error) {
    return { error }
  }
}

async function* rejoined(known: OnceAnswer[], next: Next | undefined, rest: Answers): Answers {
  yield* known
  if (next && 'error' in next) throw next.error
  if (next?.result.value) yield next.result.value
  yield* rest
}

function single({ result, picture }: OnceAnswer, form: Form): CallAnswer {
  if (!picture || !pictureOf(form).picture) return { body: result }
  return {
    headers: { 'content-type': `image/${form}`, 'heliograph-items': String(result.items.length) },
    body: Buffer.from(picture),
  }
}

async function* inJson(answers: Answers, path: string): AsyncGenerator<string> {
  let separator = '{"results":['
  let problem = ''
  try {
    for await (const { result } of answers) {
      yield `${separator}${JSON.stringify(result)}`
      separator = ','
    }
  } catch (error) {
    problem = `,"error":${JSON.stringify(problemOf(error, path).body)}`
  }
  yield `]${problem}}`
}

async function* inLines(answers: Answers, path: string): AsyncGenerator<string> {
  try {
    for await (const { result } of answers) yield `${JSON.stringify(result)}\n`
  } catch (error) {
    yield `${JSON.stringify({ error: problemOf(error, path).body })}\n`
  }
}

/** RFC 2046, 5.1.3. */
async function* inParts(
  answers: Answers,
  type: string,
  boundary: string,
  path: string,
): AsyncGenerator<string | Uint8Array> {
  const head = (contentType: string, more = ''): string =>
    `\r\n--${boundary}\r\nContent-Type: ${contentType}\r\n${more}\r\n`
  try {
    for await (const { result, picture } of answers) {
      if (!picture) continue
      yield head(type, `Heliograph-Items: ${result.items.length}\r\n`)
      yield picture
    }
  } catch (error) {
    yield `${head('application/problem+json')}${JSON.stringify(problemOf(error, path).body)}`
  }
  yield `\r\n--${boundary}--\r\n`
}
