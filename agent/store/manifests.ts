import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse as parseYaml } from 'yaml'
import { check } from '../../schemas/decode.ts'
import { ModelManifest } from '../../schemas/manifest.ts'
import { AgentError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { catalog } from './catalog.ts'
import { isInside } from './inside.ts'

/** A manifest, and where it was found; built-in ones have no folder. */
export interface ManifestEntry {
  readonly manifest: ModelManifest
  readonly folder?: string
}

const names = ['manifest.json', 'manifest.yaml'] as const

/** Reads the manifests, by id. @throws AgentError CONFIG_INVALID that names the file and the field */
export type ReadManifests = () => Promise<ReadonlyMap<string, ManifestEntry>>

/**
 * Reads the catalog and the manifests of `folders` anew at each call; a folder's manifest replaces the
 * catalog's one of the same id. What is odd is logged once.
 */
export function manifestReader(folders: readonly string[], log: Log): ReadManifests {
  const told = new Set<string>()
  const warn: Warn = (fields, message) => {
    const key = JSON.stringify([message, fields])
    if (!told.has(key)) log.warn(fields, message)
    told.add(key)
  }
  return async () => {
    const found = await Promise.all(folders.map((folder) => readFolder(folder, warn)))
    return merged(found.flat(), warn)
  }
}

type Warn = (fields: object, message: string) => void

function merged(found: readonly ManifestEntry[], warn: Warn): Map<string, ManifestEntry> {
  const entries = new Map<string, ManifestEntry>(
    catalog.map((manifest) => [manifest.id, { manifest }]),
  )
  for (const entry of found) {
    const { id } = entry.manifest
    const other = entries.get(id)
    if (other?.folder !== undefined) {
      throw invalid(`${entry.folder} and ${other.folder} both describe a model '${id}'`)
    }
    if (other) warn({ model: id, folder: entry.folder }, 'a folder replaces a built-in model')
    entries.set(id, entry)
  }
  return entries
}

async function readFolder(folder: string, warn: Warn): Promise<ManifestEntry[]> {
  const children = await readdir(folder, { withFileTypes: true }).catch(absent)
  const folders = (children ?? [])
    .filter((child) => child.isDirectory() || child.isSymbolicLink())
    .map((child) => join(folder, child.name))
    .sort()
  const entries = await Promise.all(folders.map((child) => readEntry(child, warn)))
  return entries.filter((entry) => entry !== undefined)
}

async function readEntry(folder: string, warn: Warn): Promise<ManifestEntry | undefined> {
  for (const name of names) {
    const file = join(folder, name)
    const text = await readFile(file, 'utf8').catch(absent)
    if (text !== undefined) return { manifest: decode(text, file, warn), folder }
  }
  return undefined
}

function decode(text: string, file: string, warn: Warn): ModelManifest {
  const decoded = check(ModelManifest, parse(text, file))
  if (!decoded.ok) throw invalid(`${file}: ${decoded.problem}`)
  if (decoded.unknown.length > 0) {
    warn({ file, fields: decoded.unknown }, 'unknown fields in a model manifest')
  }
  for (const [index, provider] of decoded.value.providers.entries()) {
    if (!isInside(provider.path)) {
      throw invalid(
        `${file}: /providers/${index}/path '${provider.path}' must be relative, without '..'`,
      )
    }
  }
  return decoded.value
}

function parse(text: string, file: string): unknown {
  try {
    return file.endsWith('.json') ? JSON.parse(text) : parseYaml(text)
  } catch (error) {
    throw invalid(`${file}: ${error instanceof Error ? error.message : error}`, error)
  }
}

function invalid(problem: string, cause?: unknown): AgentError {
  return new AgentError('CONFIG_INVALID', `cannot read a model manifest: ${problem}`, { cause })
}

/** Nothing there is no failure; anything else (no permission, say) is one. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  throw invalid(error.message, error)
}
