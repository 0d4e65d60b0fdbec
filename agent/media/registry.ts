import { AgentError } from '../core/errors.ts'
import type { MediaEngine } from './engine.ts'
import { ffmpegEngine } from './ffmpeg.ts'
import { loadFfmpeg } from './ffmpeg-program.ts'
import { nodeAvEngine } from './node-av.ts'
import { loadNodeAv } from './node-av-library.ts'

/** An engine and whether this machine has it. */
export interface EngineEntry {
  create(): MediaEngine
  /** Settles if it is here. @throws AgentError BACKEND_UNAVAILABLE that says what to install */
  check(): Promise<unknown>
}

/** Engines, by name; `auto` takes the first that is here. */
const engines: Readonly<Record<string, EngineEntry>> = {
  'node-av': { create: () => nodeAvEngine(), check: () => loadNodeAv() },
  ffmpeg: { create: () => ffmpegEngine(), check: () => loadFfmpeg() },
}

/**
 * The engine of that name, or for `auto` the first that this machine has. Nothing is loaded before it is
 * used, so what is missing shows then. @throws AgentError BACKEND_UNAVAILABLE for a name that is not known
 */
export function createEngine(choice: string): MediaEngine {
  if (choice === 'auto') return firstEngine(Object.values(engines))
  const entry = Object.hasOwn(engines, choice) ? engines[choice] : undefined
  if (entry) return entry.create()
  throw new AgentError(
    'BACKEND_UNAVAILABLE',
    `no media engine '${choice}' (known: auto ${Object.keys(engines).join(' ')})`,
  )
}

/** An engine that decides at its first use which of `entries` it is; `auto` is its name until then. */
export function firstEngine(entries: readonly EngineEntry[]): MediaEngine {
  let chosen: MediaEngine | undefined
  let choosing: Promise<MediaEngine> | undefined

  function choose(): Promise<MediaEngine> {
    choosing ??= firstPresent(entries).then(
      (engine) => {
        chosen = engine
        return engine
      },
      (error: unknown) => {
        choosing = undefined
        throw error
      },
    )
    return choosing
  }

  return {
    get name() {
      return chosen?.name ?? 'auto'
    },
    open: async (input, options) => (await choose()).open(input, options),
    encode: async (options) => (await choose()).encode(options),
    push: async (url, options) => (await choose()).push(url, options),
    codecs: async () => (await choose()).codecs(),
  }
}

async function firstPresent(entries: readonly EngineEntry[]): Promise<MediaEngine> {
  const problems: string[] = []
  for (const { check, create } of entries) {
    try {
      await check()
      return create()
    } catch (error) {
      problems.push(AgentError.from(error).message)
    }
  }
  throw new AgentError('BACKEND_UNAVAILABLE', problems.join('; or: '))
}
