import { isIP } from 'node:net'
import { join } from 'node:path'
import { type Config, ConfigSchema, settings } from '../../schemas/config.ts'
import { check } from '../../schemas/decode.ts'
import { AgentError } from '../core/errors.ts'
import type { Leaf } from './check-given.ts'
import {
  absolute,
  defaultCacheFolder,
  defaultDataFolder,
  type Environment,
  packageFolder,
} from './folders.ts'
import type { Problem } from './given.ts'

type Tree = Record<string, unknown>

/** Lays the checked values over the defaults, the later over the earlier. `name`: the data folder's. */
export function assemble(
  layers: readonly (readonly Leaf[])[],
  env: Environment,
  name: string,
): Config {
  const tree: Tree = { services: {} }
  for (const { path, schema } of settings) {
    if (schema.default !== undefined) set(tree, path, structuredClone(schema.default))
  }
  for (const leaves of layers) layOver(tree, leaves, env)
  fillDefaults(tree, env, name)
  const checked = check(ConfigSchema, tree)
  if (!checked.ok)
    throw new AgentError('INTERNAL', `the configuration is incomplete: ${checked.problem}`)
  return freeze(checked.value)
}

/** What is wrong with a configuration whose every value is right by itself. */
export function contradictions(config: Config): Problem[] {
  const problems: Problem[] = []
  const { limits, services } = config
  problems.push(...samePorts(config), ...halfOfTls(config))
  const count = Object.keys(services).length
  if (count > limits.services) {
    problems.push(`services: there are ${count}, but limits.services is ${limits.services}`)
  }
  for (const section of ['sources', 'outputs'] as const) {
    for (const list of ['allow', 'deny'] as const) {
      for (const block of config[section].addresses[list]) {
        if (isCidr(block)) continue
        const name = `${section}.addresses.${list}`
        problems.push(`${name}: '${block}' must be a CIDR block, as 10.0.0.0/8`)
      }
    }
  }
  return problems
}

function samePorts(config: Config): Problem[] {
  const listeners = ['broker', 'http', 'rtsp'] as const
  return listeners.flatMap((one, index) =>
    listeners
      .slice(index + 1)
      .filter((other) => config[one].port !== 0 && config[one].port === config[other].port)
      .map((other) => `${one}.port and ${other}.port must differ; both are ${config[one].port}`),
  )
}

function halfOfTls({ http: { tls } }: Config): Problem[] {
  const { certFile, keyFile } = tls
  if ((certFile === '') === (keyFile === '')) return []
  const [given, missing] = certFile ? ['certFile', 'keyFile'] : ['keyFile', 'certFile']
  return [`http.tls.${missing} is missing: http.tls.${given} needs it`]
}

function isCidr(text: string): boolean {
  const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  const version = isIP(address)
  return version !== 0 && Number(bits) <= (version === 4 ? 32 : 128)
}

function layOver(tree: Tree, leaves: readonly Leaf[], env: Environment): void {
  // One part of a service (its inputs, say) is taken as a whole: half of two URLs is none.
  for (const { path } of leaves) if (isOfService(path, 3)) set(tree, path.slice(0, 3), {})
  for (const leaf of leaves) {
    const keep = isOfService(leaf.path, 2) && leaf.path.length === 2 && get(tree, leaf.path)
    if (!keep) set(tree, leaf.path, withFolders(leaf, env))
  }
}

function isOfService(path: readonly string[], length: number): boolean {
  return path[0] === 'services' && path.length >= length
}

/** The value, its relative paths made absolute. */
function withFolders({ path, schema, value, origin }: Leaf, env: Environment): unknown {
  const full = (one: unknown) => absolute(String(one), origin.folder, env)
  if (schema.folder) return value === '' ? value : full(value)
  if (schema.items?.folder && Array.isArray(value)) return value.map(full)
  // Of an input's options, only its URL is text that is not chosen from a list.
  const isUrl = isOfService(path, 3) && path[2] === 'input' && !('enum' in schema)
  return isUrl && typeof value === 'string' && !SCHEME.test(value) ? full(value) : value
}

/** Two letters at least, so that a drive of Windows is none. */
const SCHEME = /^[a-z][a-z0-9+.-]+:/i

/** What depends on the machine, or on another setting. */
function fillDefaults(tree: Tree, env: Environment, name: string): void {
  const fill = (path: readonly string[], value: unknown) => {
    if (get(tree, path) === undefined) set(tree, path, value)
  }
  fill(['data', 'folder'], defaultDataFolder(env, name))
  const media = join(String(get(tree, ['data', 'folder'])), 'media')
  fill(['models', 'cacheFolder'], defaultCacheFolder(env))
  fill(['sources', 'roots'], [join(packageFolder(), 'examples', 'media'), media])
  fill(['outputs', 'mediaFolder'], media)
  for (const id of Object.keys(tree.services as Tree)) fill(['services', id, 'compute'], 'start')
}

function get(tree: Tree, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (isTree(value) ? value[key] : undefined), tree)
}

function set(tree: Tree, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path
  if (rest.length === 0) {
    tree[key] = value
    return
  }
  const child = tree[key]
  const branch: Tree = isTree(child) ? child : {}
  tree[key] = branch
  set(branch, rest, value)
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null)
    Object.values(Object.freeze(value)).forEach(freeze)
  return value
}
