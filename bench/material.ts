import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadConfig } from '../agent/config.ts'
import type { VideoReader } from '../agent/media/engine.ts'
import { nodeAvEngine } from '../agent/media/node-av.ts'
import { DEFAULT_MODEL } from '../agent/store/catalog.ts'
import { modelStore } from '../agent/store/store.ts'
import type { ResolvedModel } from '../schemas/manifest.ts'

/** What everything is measured on: 1280×720, 30 frames a second, H.264, 12 s. */
export const clipFile = resolve('examples/media/dog.mp4')
export const clipUrl = pathToFileURL(clipFile).href

/** The model that everything is measured with; fetched if it is not cached yet. */
export async function benchModel(): Promise<ResolvedModel> {
  const { models } = await loadConfig({ flags: [], env: process.env, cwd: process.cwd() })
  const quiet = () => undefined
  const log = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet }
  const pullEntry = new URL('../dist/agent/store/pull-worker.js', import.meta.url)
  return modelStore({ ...models, log, pullEntry }).ensure(DEFAULT_MODEL)
}

/** The clip, opened as a service opens it. */
export function openClip(): Promise<VideoReader> {
  return nodeAvEngine().open(
    { kind: 'file', path: clipFile },
    { signal: new AbortController().signal, threads: 1, maxPixels: 50_000_000, decode: 'all' },
  )
}
