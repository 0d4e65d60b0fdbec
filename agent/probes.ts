import type { Config } from '../schemas/config.ts'
import type { Introduction } from './agent-info.ts'
import type { Presence } from './control/presence.ts'
import { AgentError } from './core/errors.ts'
import { probeMedia } from './service/probe-media.ts'
import { probeProviders } from './service/probe-providers.ts'

/** Probing takes a second of a core, which the first detections need more. */
const PROBE_AFTER_MS = 5000

/** Where what was found goes, and what failed. */
export interface Findings {
  readonly introduction: Introduction
  readonly presence: Pick<Presence, 'alert'>
}

/**
 * Soon finds out what works on this machine, one thing after another, for `$info`; a probe that fails is an
 * alert. Returns how to call it off.
 */
export function probeSoon(media: Config['media'], findings: Findings): () => void {
  const timer = setTimeout(() => void probeAll(media, findings), PROBE_AFTER_MS)
  return () => clearTimeout(timer)
}

async function probeAll(
  { engine }: Config['media'],
  { introduction, presence }: Findings,
): Promise<void> {
  const failed = (id: string) => (error: unknown) =>
    presence.alert(id, AgentError.from(error, 'BACKEND_UNAVAILABLE'))
  await probeProviders(new URL('./backends/probe.js', import.meta.url)).then(
    (providers) => introduction.change({ providers }),
    failed('providers'),
  )
  await probeMedia(new URL('./media/probe.js', import.meta.url), engine).then(
    (found) => introduction.change({ media: found }),
    failed('media'),
  )
}
