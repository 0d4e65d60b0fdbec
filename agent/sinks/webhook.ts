import { randomUUID } from 'node:crypto'
import type { OutputSpec } from '../../schemas/control.ts'
import { AgentError } from '../core/errors.ts'
import type { Delivered, Sink } from '../core/stages.ts'
import { type HttpAnswer, httpPost, isPassing } from '../net/http-client.ts'
import { type HttpSession, keptConnection } from '../net/http-request.ts'
import { shownUrl } from '../net/shown-url.ts'
import { annotator } from './annotated.ts'
import { DeliveryQueue, type Outcome } from './delivery-queue.ts'
import { CLOSING_MS, closedEarly, DEFAULT_TIMEOUT_MS, destination } from './destination.ts'
import { resultJson } from './result-json.ts'
import { signatureHeaders } from './signature.ts'
import type { SinkContext } from './sink-context.ts'
import { formBody, jsonBody, type WebhookBody } from './webhook-body.ts'

const EXAMPLE = 'https://host/path'
const MAX_COUNT = 1000
const MAX_BYTES = 64 * 1024 * 1024
const MAX_RETRY_AFTER_MS = 300_000

/**
 * `http(s)://`: posts each result, one after another; what cannot be delivered waits, within bounds, and is
 * tried again. With `image` the annotated picture comes along, with `secret` a signature.
 * @throws AgentError SINK_UNSUPPORTED, SINK_FORBIDDEN, SINK_FAILED, LIMIT_EXCEEDED
 */
export function webhookSink(spec: OutputSpec, context: SinkContext): Sink {
  const { url, policy } = destination(spec.url, context, EXAMPLE)
  const timeoutMs = spec.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const closing = new AbortController()
  const connections = keptConnection(url)
  const session = { policy, timeoutMs, signal: closing.signal, connections }
  const queue = new DeliveryQueue({
    maxCount: MAX_COUNT,
    maxBytes: MAX_BYTES,
    troubled: (error) => context.troubled(error),
  })
  const bodyOf = spec.image ? pictureBody() : async (it: Delivered) => jsonBody(jsonOf(it))
  let before: Promise<unknown> = Promise.resolve()
  return {
    keepsFrames: true,
    room: 2 * MAX_COUNT,
    open: async () => undefined,
    async write(delivered) {
      // Pictures are made side by side, but go in order.
      const made = Promise.all([bodyOf(delivered), before])
      before = made.catch(() => undefined)
      const [body] = await made
      const letter: Letter = { url, body, secret: spec.secret, delivery: randomUUID() }
      await queue.add({ bytes: body.bytes.length, attempt: () => attempt(letter, session) })
    },
    async close() {
      const error = closedEarly(`cannot send to ${shownUrl(url)}`)
      await before
      await queue.close(CLOSING_MS, error)
      closing.abort(error)
      connections.destroy()
    },
  }
}

const jsonOf = ({ result }: Delivered): string => resultJson(result)

function pictureBody(): (delivered: Delivered) => Promise<WebhookBody> {
  const pictures = annotator('refuses')
  return async (delivered) => {
    const { input, seq } = delivered.result
    const jpeg = await pictures.jpeg(delivered)
    return formBody(jsonOf(delivered), jpeg, `${input}-${seq}.jpg`)
  }
}

interface Letter {
  readonly url: URL
  readonly body: WebhookBody
  readonly secret: string | undefined
  /** The same for each attempt, so that a receiver can tell a repetition. */
  readonly delivery: string
}

async function attempt(letter: Letter, session: HttpSession): Promise<Outcome> {
  const { url, body, secret, delivery } = letter
  const headers = {
    'content-type': body.contentType,
    'x-heliograph-delivery': delivery,
    ...signatureHeaders(secret, body.bytes, Date.now()),
  }
  try {
    return outcomeOf(url, await httpPost(url, body.bytes, headers, session))
  } catch (cause) {
    const error = AgentError.from(cause, 'SINK_FAILED')
    return { kind: error.retryable ? 'later' : 'hopeless', error }
  }
}

function outcomeOf(url: URL, { status, headers }: HttpAnswer): Outcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  const error = new AgentError('SINK_FAILED', `${shownUrl(url)} ${complaint(status, headers)}`, {
    retryable: true,
  })
  if (!isPassing(status)) return { kind: 'refused', error }
  return { kind: 'later', error, waitMs: retryAfterMs(headers['retry-after'], Date.now()) }
}

function complaint(status: number, { location }: HttpAnswer['headers']): string {
  if (status >= 300 && status < 400) {
    const to = location && URL.canParse(location) ? ` to ${new URL(location).origin}` : ''
    return `redirects${to} (HTTP status ${status}); results are not sent on: set the new URL`
  }
  const reason = { 401: ' (credentials are missing or wrong)', 404: ' (not found)' }[status] ?? ''
  return `answered with HTTP status ${status}${reason}`
}

/** Retry-After (RFC 9110, 10.2.3): seconds, or a date. */
function retryAfterMs(value: string | undefined, now: number): number {
  if (value === undefined) return 0
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS)
}
