import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModelProvider } from '../../../schemas/manifest.ts'
import { AgentError } from '../../core/errors.ts'
import { archiveFiles } from './archive.ts'
import { download } from './download.ts'
import { npm } from './npm-command.ts'
import { npmSettings } from './npm-settings.ts'
import type { PullContext, ReadFiles } from './provider.ts'

type NpmProvider = Extract<ModelProvider, { type: 'npm' }>

/** A tarball, and the SHA-512 of its bytes in base64. */
interface Tarball {
  readonly file: string
  readonly sha512: string
}

/** One way to a package's tarball. */
type Way = (provider: NpmProvider, context: PullContext) => Promise<Tarball>

/**
 * The files of a package of the npm registry. Its tarball is downloaded straight from the registry
 * that npm is configured for, since that shows progress; where that fails, and first where npm uses a
 * proxy, by `npm pack`, which knows proxies, credentials and certificates.
 * @throws AgentError MODEL_INTEGRITY, MODEL_LOAD
 */
export async function npmFiles(provider: NpmProvider, context: PullContext): Promise<ReadFiles> {
  const { registry, proxied } = await npmSettings(provider.package, context.signal)
  const direct: Way = (...args) => fromRegistry(registry, ...args)
  const ways = proxied ? [packed, direct] : [direct, packed]
  const faults: AgentError[] = []
  for (const way of ways) {
    try {
      const { file, sha512 } = await way(provider, context)
      requireIntegrity(provider, sha512)
      return archiveFiles(file, context)
    } catch (error) {
      context.signal.throwIfAborted()
      faults.push(AgentError.from(error, 'MODEL_LOAD'))
    }
  }
  throw failed(provider, faults)
}

async function fromRegistry(
  registry: string,
  provider: NpmProvider,
  context: PullContext,
): Promise<Tarball> {
  const name = provider.package.replace(/^@[^/]*\//, '')
  const base = registry.endsWith('/') ? registry : `${registry}/`
  const url = `${base}${provider.package}/-/${name}-${provider.version}.tgz`
  const file = join(context.scratch, 'registry.tgz')
  return { file, sha512: await download(url, file, context) }
}

async function packed(provider: NpmProvider, context: PullContext): Promise<Tarball> {
  const folder = await mkdtemp(join(context.scratch, 'npm-'))
  const options = [
    '--ignore-scripts',
    '--silent',
    '--fetch-retries=0',
    '--pack-destination',
    folder,
  ]
  context.report({ phase: 'download', done: 0 })
  await npm(['pack', `${provider.package}@${provider.version}`, ...options], context.signal)
  const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz'))
  if (archive === undefined) throw new AgentError('MODEL_LOAD', 'npm pack: it wrote no tarball')
  const file = join(folder, archive)
  return { file, sha512: await sha512Of(file, context) }
}

async function sha512Of(file: string, context: PullContext): Promise<string> {
  const { size: total } = await stat(file)
  const hash = createHash('sha512')
  let done = 0
  for await (const chunk of createReadStream(file)) {
    hash.update(chunk)
    done += chunk.length
    context.report({ phase: 'verify', done, total })
  }
  return hash.digest('base64')
}

function requireIntegrity(provider: NpmProvider, sha512: string): void {
  const found = `sha512-${sha512}`
  if (found === provider.integrity) return
  throw new AgentError(
    'MODEL_INTEGRITY',
    `the tarball has the integrity ${found}, the manifest pins ${provider.integrity}`,
  )
}

function failed(provider: NpmProvider, faults: readonly AgentError[]): AgentError {
  const damaged = faults.some(({ code }) => code === 'MODEL_INTEGRITY')
  const reasons = faults.map(({ message }) => message).join('; ')
  return new AgentError(
    damaged ? 'MODEL_INTEGRITY' : 'MODEL_LOAD',
    `cannot fetch the npm package ${provider.package}@${provider.version}: ${reasons}`,
    { cause: faults[0], retryable: !damaged && faults.some(({ retryable }) => retryable) },
  )
}
