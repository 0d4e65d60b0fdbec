import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Where this package lies: its `examples` and its `package.json`. */
export function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) {
    folder = dirname(folder)
  }
  return folder
}

/** `path`, absolute: `~` is the home, a relative path counts from `folder`. */
export function absolute(path: string, folder: string, env: Environment): string {
  if (path === '~' || path.startsWith('~/')) return join(home(env), path.slice(1))
  return resolve(folder, path)
}

/** Where an agent called `name` keeps its state if nothing else is said (XDG Base Directory). */
export function defaultDataFolder(env: Environment, name: string): string {
  return join(xdg(env.XDG_DATA_HOME) ?? join(home(env), '.local', 'share'), name)
}

/** Where models are kept if nothing else is said. */
export function defaultCacheFolder(env: Environment): string {
  return join(xdg(env.XDG_CACHE_HOME) ?? join(home(env), '.cache'), 'heliograph', 'models')
}

function home(env: Environment): string {
  return env.HOME || homedir()
}

/** The specification ignores relative paths here. */
function xdg(folder: string | undefined): string | undefined {
  return folder && isAbsolute(folder) ? folder : undefined
}
