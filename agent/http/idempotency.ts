import { createHash } from 'node:crypto'
import { answers } from '../control/answers.ts'
import { AgentError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'
import type { Call, CallAnswer, Handler } from './calls.ts'
import { Refusal } from './problems.ts'

const MAX_KEY_LENGTH = 128

interface Remembered {
  /** Names what was asked. */
  readonly content: string
  readonly answer: CallAnswer
}

/**
 * Does a change that carries an `Idempotency-Key` once: the same key of the same user within five minutes gets the same answer
 * (draft-ietf-httpapi-idempotency-key-header). A failure is not remembered: it may be tried again.
 */
export function idempotent(): (name: string, handler: Handler) => Handler {
  const known = answers<Remembered>()
  return (name, handler) => async (call) => {
    const given = call.headers['idempotency-key']
    if (typeof given !== 'string') return handler(call)
    if (given.length === 0 || given.length > MAX_KEY_LENGTH) {
      const rule = `Idempotency-Key must have 1 to ${MAX_KEY_LENGTH} characters`
      throw new AgentError('MESSAGE_INVALID', rule)
    }
    const key = JSON.stringify([name, call.params, call.caller, given])
    const content = contentOf(call)
    const before = known.recall(key, performance.now())
    if (!before) {
      const remembered = handler(call).then((answer) => ({ content, answer }))
      remembered.catch(() => known.forget(key))
      known.remember(key, remembered, performance.now())
      return (await remembered).answer
    }
    const { content: asked, answer } = await before
    if (asked === content) return answer
    const message = `Idempotency-Key '${redact(given)}' was used for another request; take a new one`
    throw new Refusal(422, message)
  }
}

function contentOf({ body, query }: Call): string {
  return createHash('sha256')
    .update(JSON.stringify([body, query]))
    .digest('base64')
}
