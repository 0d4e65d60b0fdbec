import type { AddressBook } from '../../schemas/address.ts'
import type { AgentStatus } from '../../schemas/state.ts'
import { AgentError } from '../core/errors.ts'
import { type ClientParts, patience } from './agent-client.ts'
import type { MqttLink } from './mqtt-link.ts'
import { shownAddress } from './unreachable.ts'

/** What is retained comes at once; an agent that is not there never does. */
const ANNOUNCED_MS = 3000

/**
 * Finds the agent that is meant by its retained `$state`: the named one, else the only one.
 * @throws AgentError AGENT_UNREACHABLE with those that were found; CONFLICT when several are there and none is named
 */
export async function findAgent(link: MqttLink, parts: ClientParts): Promise<AddressBook> {
  const { root = 'edge', agent: named } = parts
  const found = new Map<string, AgentStatus['state']>()
  let seen: () => void = () => undefined
  const isFound = new Promise<void>((resolve) => {
    seen = resolve
  })
  const prefix = `${root}/1/`
  const stop = link.onMessage(({ topic, payload }) => {
    const [agent = '', path] = topic.slice(prefix.length).split('/')
    if (!topic.startsWith(prefix) || path !== '$state') return
    found.set(agent, stateIn(payload))
    if (named === undefined || agent === named) seen()
  })
  try {
    await link.subscribe([`${prefix}+/$state`])
    await within(
      Promise.race([isFound, link.lost]),
      Math.min(ANNOUNCED_MS, patience(parts, 'quick')),
    )
    // One way to the broker and back: what else is retained has come by then.
    await link.subscribe([`${prefix}+/$state`])
  } finally {
    stop()
  }
  return { root, agent: chosen(found, parts) }
}

function stateIn(payload: Uint8Array): AgentStatus['state'] {
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8')).state
  } catch {
    return 'lost'
  }
}

function chosen(found: ReadonlyMap<string, AgentStatus['state']>, parts: ClientParts): string {
  const { url, agent: named, root = 'edge' } = parts
  const where = shownAddress(url)
  const list = [...found].map(([agent, state]) => `${agent} (${state})`).join(', ')
  const candidates = [...found].flatMap(([agent, state]) =>
    state === 'ready' || state === 'init' ? [agent] : [],
  )
  const [only, ...others] =
    named === undefined ? candidates : candidates.filter((id) => id === named)
  if (only !== undefined && others.length === 0) return only
  if (only !== undefined) {
    const message = `several agents are on ${where}; name one with --agent: ${list}`
    throw new AgentError('CONFLICT', message)
  }
  const who = named === undefined ? 'no agent' : `no agent '${named}'`
  const known = list ? ` (there are: ${list})` : ''
  const message = `${who} is ready on ${where} below the topic ${root}/1/${known}; is it running, and is this its broker's port (default 1883)?`
  throw new AgentError('AGENT_UNREACHABLE', message, { retryable: true })
}

/** Resolves with the promise, or when the time is over. */
async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  try {
    await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
