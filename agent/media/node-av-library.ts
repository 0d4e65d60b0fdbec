import type { Codec } from 'node-av/lib'
import { AgentError } from '../core/errors.ts'
import type { Workplace } from './spare-time.ts'

/** The parts of node-av that the engine uses. */
export type NodeAv = typeof import('node-av/lib') & {
  readonly constants: typeof import('node-av/constants')
}

/** What a decoder or an encoder is made with. */
export interface CoderParts {
  readonly av: NodeAv
  /** Where it codes in software. */
  readonly workplace: Workplace
}

async function importNodeAv(): Promise<NodeAv> {
  const [av, constants] = await Promise.all([import('node-av/lib'), import('node-av/constants')])
  return { ...av, constants }
}

/**
 * Loads node-av, an optional dependency that costs 39 MB of memory, and silences FFmpeg's own
 * output to stderr.
 * @throws AgentError BACKEND_UNAVAILABLE when it is not installed or has no binary for this machine
 */
export async function loadNodeAv(load: () => Promise<NodeAv> = importNodeAv): Promise<NodeAv> {
  try {
    const av = await load()
    av.Log.setLevel(av.constants.AV_LOG_QUIET)
    return av
  } catch (error) {
    throw new AgentError(
      'BACKEND_UNAVAILABLE',
      'video needs the optional package node-av: npm install node-av',
      { cause: error },
    )
  }
}

/** FFmpeg's coder of that name; nothing where this build of it lacks it. */
export function codecNamed(
  av: NodeAv,
  way: 'encoder' | 'decoder',
  name: string,
): Codec | undefined {
  const fits = (codec: Codec) => (way === 'encoder' ? codec.isEncoder() : codec.isDecoder())
  return av.Codec.getCodecList().find((codec) => codec.name === name && fits(codec))
}
