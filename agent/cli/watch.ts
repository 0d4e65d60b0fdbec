import { connectAsync } from 'mqtt'
import { type AddressBook, agentTopic } from '../../schemas/address.ts'
import type { Result } from '../../schemas/results.ts'
import { reachable } from './introduction.ts'
import { type Seen, seenLines } from './seen-line.ts'

const EVERY_MS = 1000

/**
 * Prints every second what the agent's services see, as any other MQTT client gets to know it.
 * @returns how to stop
 */
export async function watch(address: string, book: AddressBook): Promise<() => Promise<void>> {
  const client = await connectAsync(reachable(address))
  let seen: Seen[] = []
  let silence = 'waiting for the first result …'
  client.on('message', (topic, payload) => {
    const service = topic.split('/').at(-3) ?? ''
    seen.push({ service, result: JSON.parse(payload.toString()) as Result })
  })
  const timer = setInterval(() => {
    const lines = seenLines(seen, EVERY_MS / 1000)
    if (lines.length === 0 && silence !== '') lines.push(silence)
    silence = seen.length === 0 ? '' : 'no results any more; has every input ended?'
    seen = []
    for (const line of lines) process.stdout.write(`${line}\n`)
  }, EVERY_MS)
  await client.subscribeAsync(agentTopic(book, '+/detections/+'))
  return async () => {
    clearInterval(timer)
    await client.endAsync(true)
  }
}
