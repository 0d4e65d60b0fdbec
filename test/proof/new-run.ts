import { before, detectionsOf, during, type Recording } from './recording.ts'

/** How long after the begin of a step an input gave the first result of another run, ms. */
export function newRunAfter(
  recording: Recording,
  step: string,
  service: string,
  input: string,
): number | undefined {
  const messages = during(recording, step)
  const [mark] = messages
  const old = detectionsOf(recording, before(recording, step), service, input).at(-1)
  if (!mark || !old) throw new Error(`nothing was seen of ${service}/${input} before`)
  const seen = detectionsOf(recording, messages, service, input)
  const first = seen.find(({ run }) => run !== old.run)
  return first && first.at - mark.at
}
