import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../../agent/core/log.ts'
import { type ModelStore, modelStore } from '../../../agent/store/store.ts'
import { scratchFolder } from './tiny-model.ts'

/** The program that pulls, as users run it. */
export const pullEntry = new URL('../../../dist/agent/store/pull-worker.js', import.meta.url)

/** A store on new folders, and what it logs as warnings. */
export interface OpenStore {
  readonly store: ModelStore
  readonly cacheFolder: string
  /** Each subfolder with a manifest is a model. */
  readonly modelsFolder: string
  readonly warnings: string[]
}

/** Opens a store; on folders of its own unless they are given. */
export async function openStore(
  options: Partial<Pick<OpenStore, 'cacheFolder' | 'modelsFolder'>> & { batched?: boolean } = {},
): Promise<OpenStore> {
  const root = await scratchFolder()
  const {
    cacheFolder = join(root, 'cache'),
    modelsFolder = join(root, 'models'),
    batched = false,
  } = options
  const warnings: string[] = []
  const quiet = () => {}
  const warn = (fields: object, message: string) =>
    void warnings.push(`${message} ${JSON.stringify(fields)}`)
  const log: Log = { trace: quiet, debug: quiet, info: quiet, warn, error: quiet }
  const store = modelStore({ cacheFolder, folders: [modelsFolder], batched, log, pullEntry })
  return { store, cacheFolder, modelsFolder, warnings }
}

/**
 * Has npm, wherever it is started from here, use this registry alone and no one's own settings. What
 * costs a second each time, telling its settings, a script does in npm's place unless `wholly`.
 */
export async function useRegistry(url: string, { wholly = false } = {}): Promise<void> {
  const root = await scratchFolder()
  for (const name of Object.keys(process.env)) {
    if (/^(npm_config_|https?_proxy$)/i.test(name)) delete process.env[name]
  }
  process.env.npm_config_registry = url
  process.env.npm_config_cache = join(root, 'npm-cache')
  process.env.npm_config_userconfig = join(root, 'npmrc')
  process.env.npm_config_noproxy = '127.0.0.1'
  process.env.PATH = wholly ? systemPath : `${await standIn(root, url)}:${systemPath}`
}

const systemPath = process.env.PATH ?? ''

async function standIn(root: string, url: string): Promise<string> {
  const lines = [
    '#!/bin/sh',
    `[ "$1" = config ] && printf 'registry=%s\\nhttps-proxy=null\\n' '${url}' && exit`,
    `PATH='${systemPath}' exec npm "$@"`,
  ]
  const folder = join(root, 'bin')
  await mkdir(folder)
  await writeFile(join(folder, 'npm'), `${lines.join('\n')}\n`, { mode: 0o755 })
  return folder
}
