import type { AgentError } from '../core/errors.ts'
import type { OnceAnswer } from '../service/messages.ts'

/** The answers of one request, between the service that gives them and the one who asked. One reader. */
export interface OnceAnswers {
  push(answer: OnceAnswer): void
  /** No more come; what has come can still be read. */
  end(error?: AgentError): void
  /** Nothing more is read, not even what has come. */
  abandon(error: AgentError): void
  /** The next answer, waited for; nothing after the last. @throws AgentError it ended by */
  next(): Promise<OnceAnswer | undefined>
}

/** No answer yet. */
export function onceAnswers(): OnceAnswers {
  let answers: OnceAnswer[] = []
  let ended: { readonly error?: AgentError } | undefined
  let wake: () => void = () => {}

  function end(error?: AgentError): void {
    ended ??= error ? { error } : {}
    wake()
  }
  return {
    push(answer) {
      if (!ended) answers.push(answer)
      wake()
    },
    end,
    abandon(error) {
      answers = []
      ended = { error }
      wake()
    },
    async next() {
      while (answers.length === 0 && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const answer = answers.shift()
      if (!answer && ended?.error) throw ended.error
      return answer
    },
  }
}
