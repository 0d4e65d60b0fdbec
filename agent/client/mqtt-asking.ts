import { randomUUID } from 'node:crypto'
import { type AddressBook, agentTopic, replyPrefix } from '../../schemas/address.ts'
import type { Envelope, Reply } from '../../schemas/envelope.ts'
import { type ClientParts, patience } from './agent-client.ts'
import type { MqttLink } from './mqtt-link.ts'
import { toldError } from './told-error.ts'
import { tooLate } from './unreachable.ts'

/** What is asked. */
export interface Question {
  /** Below the agent's topic, as `$cmd/ping` or `gate/compute`. */
  readonly path: string
  readonly args: unknown
  readonly work?: 'quick' | 'long'
  /** Told how far long work has come. */
  progress?(data: unknown): void
}

/** Sends envelopes and waits for their replies. @throws AgentError what the agent answered, TIMEOUT, AGENT_UNREACHABLE */
export type Ask = (question: Question) => Promise<unknown>

/** Subscribes to replies of this client's own. */
export async function asking(link: MqttLink, book: AddressBook, parts: ClientParts): Promise<Ask> {
  const replyTo = `${replyPrefix(book)}ctl-${randomUUID()}`
  const waiting = new Map<string, (reply: Reply) => void>()
  link.onMessage(({ topic, payload }) => {
    if (topic !== replyTo) return
    const reply = JSON.parse(Buffer.from(payload).toString('utf8')) as Reply
    waiting.get(reply.id ?? '')?.(reply)
  })
  await link.subscribe([replyTo])
  return async (question) => {
    const { path, args, work = 'quick' } = question
    const id = randomUUID()
    const ttlMs = patience(parts, work)
    const answered = replyOf(waiting, id, question, () => tooLate(parts.url, ttlMs, path), ttlMs)
    try {
      const envelope: Envelope = { v: 1, id, replyTo, ttlMs, args }
      await link.publish(agentTopic(book, path), JSON.stringify(envelope))
      const reply = await Promise.race([answered.reply, link.lost])
      if (reply.status === 'error') throw toldError(reply)
      if (reply.message !== undefined) parts.notice?.(reply.message)
      return reply.data
    } finally {
      answered.forget()
    }
  }
}

function replyOf(
  waiting: Map<string, (reply: Reply) => void>,
  id: string,
  { progress }: Question,
  late: () => Error,
  ms: number,
): { readonly reply: Promise<Reply>; forget(): void } {
  let timer: NodeJS.Timeout | undefined
  const reply = new Promise<Reply>((resolve, reject) => {
    timer = setTimeout(() => reject(late()), ms)
    waiting.set(id, (answer) => {
      if (answer.status !== 'accepted') {
        resolve(answer)
        return
      }
      timer?.refresh()
      progress?.(answer.data)
    })
  })
  // It may fail before anybody waits for it.
  reply.catch(() => undefined)
  return {
    reply,
    forget() {
      clearTimeout(timer)
      waiting.delete(id)
    },
  }
}
