import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { VideoReader } from '../agent/media/engine.ts'
import type { ResolvedModel } from '../schemas/manifest.ts'

/** What everything is measured on: 1280×720, 30 frames a second, H.264, 12 s. */
export const clipFile = resolve('examples/media/dog.mp4')
/** The same, as an input's URL. */
export const clipUrl = pathToFileURL(clipFile).href

/** A module of the build, so that both sides of a comparison run the same code. */
export function built(path: string): Promise<unknown> {
  return import(new URL(`../dist/agent/${path}`, import.meta.url).href)
}

/** The model that everything is measured with; fetched if it is not cached yet. */
export async function benchModel(): Promise<ResolvedModel> {
  const { loadConfig } = (await built('config.js')) as typeof import('../agent/config.ts')
  const { modelStore } = (await built('store/store.js')) as typeof import('../agent/store/store.ts')
  const { DEFAULT_MODEL } = (await built(
    'store/catalog.js',
  )) as typeof import('../agent/store/catalog.ts')
  const { models } = await loadConfig({ flags: [], env: process.env, cwd: process.cwd() })
  const quiet = () => undefined
  const log = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet }
  return modelStore({ ...models, log }).ensure(DEFAULT_MODEL)
}

/** The clip, opened as a service opens it. */
export async function openClip(): Promise<VideoReader> {
  const { nodeAvEngine } = (await built(
    'media/node-av.js',
  )) as typeof import('../agent/media/node-av.ts')
  return nodeAvEngine().open(
    { kind: 'file', path: clipFile },
    { signal: new AbortController().signal, threads: 1, maxPixels: 50_000_000, decode: 'all' },
  )
}
