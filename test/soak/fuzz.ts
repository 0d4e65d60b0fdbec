import { examples } from '../../schemas/examples.ts'
import { type TopicName, topics } from '../../schemas/topics.ts'

/** Numbers from 0 to 1 that look random and are the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A message for a control topic. `path` is below the agent's topics. */
export interface FuzzMessage {
  readonly path: string
  readonly payload: Uint8Array
}

const controls = (Object.keys(topics) as TopicName[]).filter((name) => topics[name].way === 'in')

/** A message that was valid once, and was damaged in one of several ways, or not at all. */
export function fuzzMessage(random: () => number, service: string): FuzzMessage {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  const name = pick(controls)
  const { scope, path } = topics[name]
  const valid = pick(examples[name]).payload
  const damage = pick([(value: unknown) => value, damagedValue, enveloped])
  const text = JSON.stringify(damage(valid, random)) ?? ''
  return {
    path: scope === 'service' ? `${service}/${path}` : path,
    payload: pick([asIs, cut, flipped])(Buffer.from(text), random),
  }
}

const oddValues = [
  null,
  true,
  -1,
  0,
  1e308,
  '',
  '\u0000',
  'x'.repeat(5000),
  [],
  {},
  [[[[]]]],
  'NaN',
]

/** The value with one of its parts, or all of it, replaced by something odd. */
function damagedValue(value: unknown, random: () => number): unknown {
  const odd = oddValues[Math.floor(random() * oddValues.length)]
  if (typeof value !== 'object' || value === null || random() < 0.3) return odd
  const keys = Object.keys(value)
  const key = keys[Math.floor(random() * keys.length)] ?? '__proto__'
  const inner = (value as Record<string, unknown>)[key]
  return { ...value, [key]: damagedValue(inner, random) }
}

function enveloped(args: unknown, random: () => number): unknown {
  const fields = { v: 1, id: `fuzz-${random()}`, replyTo: 'edge/1/$reply/soak', ttlMs: 5000 }
  return { ...(damagedValue(fields, random) as object), args }
}

const asIs = (bytes: Buffer): Buffer => bytes

function cut(bytes: Buffer, random: () => number): Buffer {
  return bytes.subarray(0, Math.floor(random() * bytes.length))
}

function flipped(bytes: Buffer, random: () => number): Buffer {
  const copy = Buffer.from(bytes)
  const at = Math.floor(random() * copy.length)
  if (copy.length > 0) copy[at] = Math.floor(random() * 256)
  return copy
}
