import { AgentError } from '../core/errors.ts'
import type { Codecs } from './engine.ts'
import { type Acceleration, hardwareEncoders, likelyAccelerations } from './hardware.ts'

/** Tries one way to decode or encode by really doing it; never rejects, never hangs. */
export interface Trials {
  encoder(name: string): Promise<boolean>
  decoder(name: string): Promise<boolean>
}

/** What works, best first, found by `trials`. `software` are the encoders that need no hardware. */
export async function provenCodecs(
  trials: Trials,
  software: readonly string[],
  likely: () => Promise<readonly Acceleration[]> = likelyAccelerations,
): Promise<Codecs> {
  const hardware = await likely()
  const encoders = [...hardware.map((name) => hardwareEncoders[name]), ...software]
  return {
    decoders: await whichWork([...hardware, softwareDecoder], trials.decoder),
    encoders: await whichWork(encoders, trials.encoder),
  }
}

/** The name of decoding without hardware. */
export const softwareDecoder = 'software'

/** One after another: two that share a device must not fail for each other's sake. */
async function whichWork(
  names: readonly string[],
  works: (name: string) => Promise<boolean>,
): Promise<string[]> {
  const working: string[] = []
  for (const name of names) {
    if (await works(name)) working.push(name)
  }
  return working
}

/**
 * The codecs to try for what was asked: all that work for `auto`, else the named one.
 * @throws AgentError BACKEND_UNAVAILABLE, which lists those that work
 */
export function chosenCodecs(
  what: 'encoder' | 'decoder',
  asked: string,
  working: readonly string[],
): readonly string[] {
  if (asked === 'auto' && working.length > 0) return working
  if (working.includes(asked)) return [asked]
  const list = working.length > 0 ? `auto ${working.join(' ')}` : 'none'
  throw new AgentError(
    'BACKEND_UNAVAILABLE',
    `the ${what} '${asked}' does not work on this machine (those that do: ${list})`,
  )
}
